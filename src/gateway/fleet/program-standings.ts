/**
 * Whether the programs behind connections are those that policy decides for: of the release in the
 * lock, and with tools described as they were pinned.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ServerConfig } from "../../config/config.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";
import type { Sharer } from "./connection-key.ts";
import { connectionKey, declaredCapabilities } from "./connection-key.ts";
import type { FleetCatalogs, Standing } from "./fleet-catalogs.ts";
import type { FleetServer } from "./fleet-server.ts";
import { isOfRelease } from "./release-standing.ts";
import type { ServerMoves } from "./server-moves.ts";

/** How long a question waits for the connection that it came on to stand. */
const askerPatienceMs = 2000;

export class ProgramStandings {
  readonly #servers: ReadonlyMap<string, FleetServer>;
  readonly #catalogs: FleetCatalogs;
  readonly #moves: ServerMoves;

  constructor(
    servers: ReadonlyMap<string, FleetServer>,
    catalogs: FleetCatalogs,
    moves: ServerMoves,
  ) {
    this.#servers = servers;
    this.#catalogs = catalogs;
    this.#moves = moves;
  }

  /**
   * How the program behind this client's connection describes a tool; starts it where it does not
   * run, since it may be another one than last time.
   */
  confirm(tool: CatalogTool, client: Sharer): Standing | Promise<Standing> {
    const server = this.#servers.get(tool.server);
    if (server === undefined) return "unknown";
    const key = connectionKey(server.config, client);
    const connection = server.connection(key);
    if (connection === undefined || server.listings.isReading(key))
      return this.#confirmSettled(server, tool, client);
    return this.#describes(server, connection, tool);
  }

  async #confirmSettled(server: FleetServer, tool: CatalogTool, client: Sharer): Promise<Standing> {
    return this.#describes(server, await settled(server, client), tool);
  }

  #describes(
    server: FleetServer,
    connection: UpstreamConnection | undefined,
    tool: CatalogTool,
  ): Standing {
    if (connection === undefined) return "unknown";
    if (!isOfRelease(server.config, connection, tool)) return "other_release";
    return this.#catalogs.standing(server.listings.confirmedBy(connection), tool);
  }

  /** Whether the program behind this client's connection is the released one; starts it. */
  async confirmProgram(id: string, client: Sharer): Promise<Standing> {
    const server = this.#servers.get(id);
    return server === undefined ? "unknown" : standingOf(server, await settled(server, client));
  }

  /** The same of one that says something itself, and that is not asked for anything meanwhile. */
  async confirmAsker(id: string, client: Sharer): Promise<Standing> {
    const server = this.#servers.get(id);
    if (server === undefined) return "unknown";
    const [key, capabilities] = placeOf(server, client);
    if (server.connection(key) === undefined) {
      const patience = delay(askerPatienceMs, undefined, { ref: false });
      await Promise.race([server.connect(key, capabilities), patience]);
    }
    return standingOf(server, server.connection(key));
  }

  /** True for a connection to the released program of a server. */
  isReleased(id: string, connection: UpstreamConnection): boolean {
    const server = this.#servers.get(id);
    return server !== undefined && isOfRelease(server.config, connection);
  }

  /** What has to end before it is known which tools a connection's program has. */
  known(id: string, connection: UpstreamConnection): Promise<void> | undefined {
    return this.#servers.get(id)?.listings.known(connection);
  }

  /**
   * True for a connection that what was decided for this server may go to: its program is the
   * released one, and has described the tool, if it is about one, as it was pinned.
   */
  mayGoTo(
    config: ServerConfig,
    connection: UpstreamConnection,
    tool: CatalogTool | undefined,
  ): boolean {
    const server = this.#servers.get(config.id);
    if (server === undefined || !this.isCurrent(config)) return false;
    if (!isOfRelease(server.config, connection, tool)) return false;
    if (tool === undefined) return true;
    const listing = server.listings.confirmedBy(connection);
    return this.#catalogs.standing(listing, tool) === "as_pinned";
  }

  /** True where this is what a server has to be now; false for one that is turned, or was. */
  isCurrent(config: ServerConfig): boolean {
    return !this.#moves.isTurning(config.id) && this.#servers.get(config.id)?.config === config;
  }
}

/** The connection of a client, whose program was asked what it has; starts it. */
async function settled(
  server: FleetServer,
  client: Sharer,
): Promise<UpstreamConnection | undefined> {
  const [key, capabilities] = placeOf(server, client);
  await server.settle(key, capabilities);
  return server.connection(key);
}

function standingOf({ config }: FleetServer, connection: UpstreamConnection | undefined): Standing {
  if (connection === undefined) return "unknown";
  return isOfRelease(config, connection) ? "as_pinned" : "other_release";
}

function placeOf({ config }: FleetServer, client: Sharer) {
  return [connectionKey(config, client), declaredCapabilities(config, client)] as const;
}
