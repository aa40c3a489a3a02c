/**
 * Levels of log messages: what each legacy session asked for, and what each connection to a legacy
 * server was told, which is the most talkative of those who share it.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";
import { logLevels } from "../../mcp/wire/log-levels.ts";
import type { Client } from "../gateway.ts";
import { connectionKey } from "./connection-key.ts";
import type { ServerFleet } from "./server-fleet.ts";

export class LogLevels {
  readonly #wanted = new Map<Client, string>();

  /** The level of a session; `undefined` where it never asked for one. */
  of(client: Client): string | undefined {
    return this.#wanted.get(client);
  }

  /** Takes a session's wish and tells the servers that it has a connection to. */
  set(client: Client, level: string, fleet: ServerFleet): void {
    this.#wanted.set(client, level);
    for (const server of fleet.servers) {
      const key = connectionKey(server, client);
      const told = this.#levelOf(server, key);
      if (told !== undefined) fleet.tellLogLevel(server.id, key, told);
    }
  }

  /** Tells a new connection. */
  connected(server: ServerConfig, key: string, connection: UpstreamConnection): void {
    const level = this.#levelOf(server, key);
    if (level !== undefined) tellLevel(connection, level);
  }

  forget(client: Client): void {
    this.#wanted.delete(client);
  }

  #levelOf(server: ServerConfig, key: string): string | undefined {
    const wanted = [...this.#wanted].flatMap(([client, level]) =>
      connectionKey(server, client) === key
        ? [logLevels.findIndex((known) => known === level)]
        : [],
    );
    return wanted.length === 0 ? undefined : logLevels[Math.min(...wanted)];
  }
}

const patienceMs = 10_000;

/** Sets the level of one connection, where its server has levels. */
export function tellLevel(connection: UpstreamConnection, level: string): void {
  const { era, capabilities } = connection.greeting;
  if (era !== "legacy" || capabilities["logging"] === undefined) return;
  void connection.request({
    method: "logging/setLevel",
    params: { level: JSON.stringify(level) },
    timeoutMs: patienceMs,
  });
}
