/**
 * The server that a command names.
 */
import type { GatewayConfig, ServerConfig } from "../../config/config.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";

/**
 * The server of that name.
 *
 * @throws CliError usage, where the configuration has none.
 */
export function findServer({ servers }: GatewayConfig, name: string): ServerConfig {
  const server = servers.get(name);
  if (server !== undefined) return server;
  const known = [...servers.keys()].join(", ");
  const message = `expected a server of the configuration, found "${name}"; it has ${known === "" ? "none" : known}`;
  throw new CliError(exitCodes.usage, message);
}
