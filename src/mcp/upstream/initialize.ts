/**
 * The legacy handshake: `initialize`, the version that the server chose, `notifications/initialized`.
 */
import type { JsonObject } from "../../contract/json.ts";
import { gatewayName, gatewayVersion } from "../../contract/version.ts";
import { legacyVersions } from "../wire/method-table.ts";
import type { RawResult } from "../wire/read-server-message.ts";
import type { Connection } from "./connection.ts";
import type { HandshakeLimits } from "./discover.ts";
import { objectOf } from "./discover.ts";
import { describeReply } from "./failed.ts";
import type { FailedReply } from "./failed.ts";
import type { UpstreamGreeting } from "./upstream-connection.ts";

export type Initialization =
  | { readonly kind: "greeted"; readonly greeting: UpstreamGreeting }
  /** It answered, but not as a legacy server does. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unusable"; readonly reason: string }
  | { readonly kind: "unanswered"; readonly reply: FailedReply };

const clientInfo = { name: gatewayName, version: gatewayVersion };

/** Offers the newest legacy version and accepts any that is known. */
export async function initialize(
  connection: Connection,
  capabilities: JsonObject,
  limits: HandshakeLimits,
): Promise<Initialization> {
  connection.speak({ era: "legacy", protocolVersion: undefined });
  const reply = await connection.request({
    method: "initialize",
    params: {
      protocolVersion: JSON.stringify(legacyVersions[0]),
      capabilities: JSON.stringify(capabilities),
      clientInfo: JSON.stringify(clientInfo),
    },
    ...limits,
  });
  switch (reply.kind) {
    case "result":
      return await agree(connection, reply.result);
    case "error":
      return { kind: "refused", reason: describeReply(reply) };
    case "failed":
      return reply.code === "upstream_garbage"
        ? { kind: "refused", reason: reply.message }
        : { kind: "unanswered", reply };
  }
}

async function agree(connection: Connection, { value }: RawResult): Promise<Initialization> {
  const { protocolVersion, capabilities, serverInfo, instructions } = value;
  const version = legacyVersions.find((known) => known === protocolVersion);
  if (version === undefined) {
    // A model may read it, so a server's own words have no place in it.
    const isVersion = typeof protocolVersion === "string" && /^[\d-]{1,16}$/.test(protocolVersion);
    const found = isVersion ? ` "${protocolVersion}"` : "";
    return { kind: "unusable", reason: `it answered an unknown protocol version${found}` };
  }
  connection.speak({ era: "legacy", protocolVersion: version });
  const refusal = await connection.notify("notifications/initialized");
  if (refusal !== undefined) return { kind: "unusable", reason: refusal };
  return {
    kind: "greeted",
    greeting: {
      era: "legacy",
      protocolVersion: version,
      capabilities: objectOf(capabilities),
      serverInfo: objectOf(serverInfo),
      instructions: typeof instructions === "string" ? instructions : undefined,
    },
  };
}
