/**
 * What a release says of a program, asked of the program itself.
 */
import type { GatewayConfig, ServerConfig } from "../../config/config.ts";
import { compareTools } from "../../mcp/catalog/compare-tools.ts";
import type { CliIo } from "../io.ts";
import { printable } from "../printable.ts";
import { listTools } from "./list-tools.ts";

export interface DescribedServer {
  /** `undefined` where it does not say both. */
  readonly serverInfo: { readonly name: string; readonly version: string } | undefined;
  /** Digest of each tool that could be exposed. */
  readonly pins: Readonly<Record<string, string>>;
}

/**
 * Starts or reaches a server, and ends the connection again.
 *
 * @throws UpstreamError
 */
export async function describeServer(
  io: CliIo,
  stateDir: string,
  config: GatewayConfig,
  server: ServerConfig,
): Promise<DescribedServer> {
  const asked = await listTools(io, stateDir, config, server);
  const { tools, refused } = compareTools(asked.tools, { ok: true, pins: new Map() });
  for (const item of refused) {
    io.err(`not exposed: ${printable(JSON.stringify(item.name))}, ${printable(item.reason)}`);
  }
  const { name, version } = asked.serverInfo;
  const isKnown = typeof name === "string" && typeof version === "string" && name !== "";
  return {
    serverInfo: isKnown ? { name, version } : undefined,
    pins: Object.fromEntries(tools.map(({ tool }) => [tool.name, tool.digest])),
  };
}
