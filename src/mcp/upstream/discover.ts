/**
 * The question that tells a modern server from a legacy one: `server/discover` (MCP 2026-07-28,
 * "Versioning"). A result or an error that only modern servers know is evidence of a modern server,
 * any other answer of a legacy one; silence, loss and refused authorization are evidence of nothing.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject, isRecord } from "../../contract/json.ts";
import { legacyVersions, modernVersions } from "../wire/method-table.ts";
import type { RawResult } from "../wire/read-server-message.ts";
import type { RpcError } from "../wire/rpc.ts";
import { rpcCodes } from "../wire/rpc.ts";
import type { Connection } from "./connection.ts";
import type { FailedReply } from "./failed.ts";
import type { UpstreamGreeting, UpstreamReply } from "./upstream-connection.ts";

export type Discovery =
  | { readonly kind: "greeted"; readonly greeting: UpstreamGreeting }
  /** Answered as a server does that has never heard of the question. */
  | { readonly kind: "legacy"; readonly reason: string }
  /** Modern, but it cannot be talked to. */
  | { readonly kind: "unusable"; readonly reason: string }
  | { readonly kind: "unanswered"; readonly reply: FailedReply };

export interface HandshakeLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const serverInfoKey = "io.modelcontextprotocol/serverInfo";
/** HeaderMismatch and MissingRequiredClientCapability: only modern servers say these. */
const modernCodes: readonly number[] = [-32_020, -32_021];

/** Asks in the newest modern version; changes what the connection speaks. */
export async function discover(
  connection: Connection,
  limits: HandshakeLimits,
): Promise<Discovery> {
  connection.speak({ era: "modern", protocolVersion: modernVersions[0] });
  const question = { method: "server/discover", params: {}, ...limits };
  const first = await connection.request(question);
  // A server that lists the version that it refused gets it once more, as the specification asks.
  const reply = supportsAnyway(first) ? await connection.request(question) : first;
  switch (reply.kind) {
    case "result":
      return readResult(reply.result);
    case "error":
      return readError(reply.error);
    case "failed":
      return reply.code === "upstream_garbage"
        ? { kind: "legacy", reason: reply.message }
        : { kind: "unanswered", reply };
  }
}

function supportsAnyway(reply: UpstreamReply): boolean {
  if (reply.kind !== "error" || reply.error.code !== rpcCodes.unsupportedProtocolVersion) {
    return false;
  }
  const { data } = reply.error;
  return chooseVersion(isRecord(data) ? data["supported"] : undefined).kind === "modern";
}

function readResult({ value }: RawResult): Discovery {
  const { supportedVersions, capabilities, instructions, _meta: meta } = value;
  const chosen = chooseVersion(supportedVersions);
  if (chosen.kind !== "modern") return chosen;
  const serverInfo = isRecord(meta) ? meta[serverInfoKey] : undefined;
  return {
    kind: "greeted",
    greeting: {
      era: "modern",
      protocolVersion: chosen.version,
      capabilities: objectOf(capabilities),
      serverInfo: objectOf(serverInfo ?? value["serverInfo"]),
      instructions: typeof instructions === "string" ? instructions : undefined,
    },
  };
}

function readError({ code, data }: RpcError): Discovery {
  const reason = `it answered server/discover with error ${code}`;
  if (modernCodes.includes(code)) return { kind: "unusable", reason };
  if (code !== rpcCodes.unsupportedProtocolVersion) return { kind: "legacy", reason };
  const chosen = chooseVersion(isRecord(data) ? data["supported"] : undefined);
  // It lists the very version that it refuses, or nothing that could be read.
  return chosen.kind === "legacy" && isRecord(data) && Array.isArray(data["supported"])
    ? chosen
    : { kind: "unusable", reason };
}

type Choice =
  | { readonly kind: "modern"; readonly version: string }
  | Extract<Discovery, { kind: "legacy" | "unusable" }>;

function chooseVersion(supported: unknown): Choice {
  if (!Array.isArray(supported)) return { kind: "legacy", reason: "it named no versions" };
  const version = modernVersions.find((known) => supported.includes(known));
  if (version !== undefined) return { kind: "modern", version };
  return legacyVersions.some((known) => supported.includes(known))
    ? { kind: "legacy", reason: "it supports legacy versions only" }
    : { kind: "unusable", reason: "it supports no protocol version that the gateway knows" };
}

/** What a server says of itself where it is an object, else `{}`. */
export function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
