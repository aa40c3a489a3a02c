/**
 * A gateway whose server has a release, for tests of what is held to it.
 */
import type { GatewayConfig, ServerConfig, ServerRelease } from "../../src/config/config.ts";
import { readTool } from "../../src/mcp/catalog/read-tool.ts";
import { load } from "../config/support.ts";
import type { FakeServer, FakeServerSettings } from "./fake-server.ts";
import { tool } from "./fake-server.ts";
import { openGateway } from "./open-gateway.ts";
import type { OpenGateway } from "./open-gateway.ts";
import type { TestPolicies } from "./test-policies.ts";

/** Digests of tools as they are listed. */
export function pinsOf(...tools: readonly object[]): ReadonlyMap<string, string> {
  return new Map(
    tools.flatMap((listed) => {
      const reading = readTool(listed);
      return reading.ok ? [[reading.item.name, reading.item.digest] as const] : [];
    }),
  );
}

/** A release of `crm` in this version, with one tool. */
export function releaseOf(version: string, more: Partial<ServerRelease> = {}): ServerRelease {
  const serverInfo = { name: "crm", version };
  const pins = pinsOf(tool("get"));
  return { version, serverInfo, pins, bundles: new Map(), agents: undefined, ...more };
}

export interface ReleasedGateway extends OpenGateway {
  readonly crm: FakeServer;
  /** The server under another release. */
  readonly under: (release: ServerRelease | undefined) => ServerConfig;
}

/** Opens a gateway in front of one server, `crm`, that has to be this release. */
export function openReleased(
  policies: TestPolicies,
  release: ServerRelease | undefined,
  settings: FakeServerSettings = {},
): ReleasedGateway {
  const entry = { command: "none", cwd: "/", policy: "oci-layout:none:crm", ...settings.config };
  const { config } = load({
    agent: { id: "bot", scope: "test" },
    user: { id: "alice" },
    servers: { crm: entry },
    layers: [{ name: "identity", kind: "identity", policy: "oci-layout:none:identity" }],
  });
  const server = config.servers.get("crm");
  if (server === undefined) throw new Error("expected a server");
  const under = (other: ServerRelease | undefined): ServerConfig => ({ ...server, release: other });
  const released: GatewayConfig = { ...config, servers: new Map([["crm", under(release)]]) };
  const crm = { tools: [tool("get")], serverInfo: { name: "crm", version: "1.0.0" }, ...settings };
  const gateway = openGateway({ servers: { crm }, policies, deps: { config: released } });
  const fake = gateway.servers["crm"];
  if (fake === undefined) throw new Error("expected a server");
  return { ...gateway, crm: fake, under };
}
