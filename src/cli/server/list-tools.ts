/**
 * The tools of one server as it lists them now, to a command: connected as `serve` does it, without a
 * client, and ended again.
 */
import type { ServerConfig } from "../../config/config.ts";
import { principalOf } from "../../contract/principal.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import { declaredCapabilities } from "../../gateway/fleet/connection-key.ts";
import { listAll } from "../../mcp/upstream/list-all.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";
import { createWatchdog } from "../../mcp/upstream/watchdog.ts";
import type { CliIo } from "../io.ts";
import { openLog } from "../open-log.ts";
import { createConnect } from "../serve/create-connect.ts";

/** What a server says of itself and of its tools. */
export interface AskedServer {
  readonly serverInfo: JsonObject;
  /** As they were sent. */
  readonly tools: readonly unknown[];
}

/**
 * Asks a server for its tools.
 *
 * @throws UpstreamError
 */
export async function listTools(
  { env }: CliIo,
  stateDir: string,
  config: GatewayConfig,
  server: ServerConfig,
): Promise<AskedServer> {
  const watchdog = createWatchdog(process.platform);
  const { id, startTimeoutMs: timeoutMs } = server;
  const signal = AbortSignal.timeout(timeoutMs);
  let connection: UpstreamConnection | undefined;
  try {
    connection = await createConnect({ env, stateDir, watchdog })(server, {
      capabilities: capabilitiesFor(config, server),
      events: { onLost: () => {} },
      signal,
      log: hidingLog(env, config),
      knownEra: undefined,
      onEra: () => {},
    });
    const tools = await listAll(connection, "tools", { id, timeoutMs }, signal);
    return { serverInfo: connection.greeting.serverInfo, tools };
  } finally {
    await connection?.close();
    await watchdog.close();
  }
}

function hidingLog(env: CliIo["env"], { secrets = [] }: GatewayConfig): Log {
  const { log, hide } = openLog({ env }, "warn");
  hide(secrets);
  return log;
}

/** What `serve` declares where it lists. A server may list other tools to who can do other things. */
function capabilitiesFor({ tenant, agent, user }: GatewayConfig, server: ServerConfig) {
  const principal = principalOf({ tenant, agent, user, servers: undefined });
  return declaredCapabilities(server, { principal, session: undefined, capabilities: {} });
}
