/**
 * What `server login` and `server logout` need: the server of that name, the private state folder,
 * and the guarded way to its authorization server.
 */
import { systemClock } from "../../config/ambient.ts";
import type { ServerConfig } from "../../config/config.ts";
import { createGuardedFetch } from "../../mcp/upstream/oauth/guarded-fetch.ts";
import type { OauthServer } from "../../mcp/upstream/oauth/oauth-server.ts";
import type { TokenSourceOptions } from "../../mcp/upstream/oauth/token-source.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { CliError } from "../io.ts";
import { findServer } from "./find-server.ts";

/**
 * The context of one command.
 *
 * @throws CliError usage, where the configuration has no such server or it is started as a process.
 */
export function createOauthContext(
  io: CliIo,
  name: string,
  configPath: string | undefined,
): TokenSourceOptions {
  const { config } = loadConfigFor(io, configPath);
  const server = oauthServerOf(findServer(config, name));
  if (server === undefined) {
    const message = `server "${name}" is started as a process and knows no login; give it secrets in servers.${name}.env`;
    throw new CliError(exitCodes.usage, message);
  }
  const stateDir = stateDirOf(io);
  return { server, stateDir, clock: systemClock, fetch: createGuardedFetch(server) };
}

/** The server as its OAuth client sees it; `undefined` for one that is started as a process. */
export function oauthServerOf({ id, transport }: ServerConfig): OauthServer | undefined {
  if (transport.kind !== "http") return undefined;
  const { url, oauth, caFile } = transport;
  return { id, url, oauth, caFile };
}
