/**
 * All upstream servers of one gateway and the catalogue made of their lists. One that does not
 * start, dies, hangs or lists nonsense takes away its own tools and nothing else.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ServerConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Catalog } from "../../mcp/catalog/catalog.ts";
import type { UriRoute } from "../../mcp/catalog/resource-uri.ts";
import { routeUri } from "../../mcp/catalog/uri-map.ts";
import { UriMemory } from "../../mcp/catalog/uri-memory.ts";
import type {
  ServerNotification,
  UpstreamConnection,
  UpstreamGreeting,
  UpstreamListener,
  UpstreamReply,
  UpstreamRequest,
} from "../../mcp/upstream/upstream-connection.ts";
import type { ListChange } from "./change-notices.ts";
import { ChangeNotices } from "./change-notices.ts";
import type { Sharer } from "./connection-key.ts";
import { connectionKey, declaredCapabilities } from "./connection-key.ts";
import { FleetCatalogs } from "./fleet-catalogs.ts";
import type { Connect } from "./fleet-server-deps.ts";
import type { FleetServer } from "./fleet-server.ts";
import { HeldConnections } from "./held-connections.ts";
import { keepServer } from "./keep-server.ts";
import { tellLevel } from "./log-levels.ts";
import type { ListingStore } from "./listing-store.ts";
import { isMoved, notThere } from "./not-sent.ts";
import { PinWatch } from "./pin-watch.ts";
import { ProgramStandings } from "./program-standings.ts";
import { ServerMoves } from "./server-moves.ts";
import type { UpstreamStanding } from "./upstream-standing.ts";

export interface FleetOptions {
  readonly servers: readonly ServerConfig[];
  readonly connect: Connect;
  readonly store: ListingStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Whose connections the lists are read from. */
  readonly own: Sharer;
}

/** Where what an upstream says unasked goes. */
export interface FleetEars {
  readonly onHeard: (server: ServerConfig, key: string, notification: ServerNotification) => void;
  readonly onConnected: (server: ServerConfig, key: string, connection: UpstreamConnection) => void;
  readonly onLost: (server: ServerConfig, key: string) => void;
}

/** How long a list waits for servers that are slow to start; they come with a change notice. */
const patienceMs = 5000;

/** The configured servers; `close` ends what runs of them. */
export class ServerFleet {
  readonly #options: FleetOptions;
  readonly #ears: FleetEars;
  /** Disabled ones too. */
  #configured: readonly ServerConfig[];
  readonly #servers: Map<string, FleetServer>;
  readonly moves = new ServerMoves();
  /** Whether the programs that run are those that policy decides for. */
  readonly programs: ProgramStandings;
  readonly #holds = new HeldConnections();
  readonly #uris = new UriMemory();
  readonly #catalogs: FleetCatalogs;
  readonly #notices: ChangeNotices;
  readonly #pinWatch = new PinWatch(
    async (server) => await this.#servers.get(server)?.listings.repin(),
  );
  readonly #changed = new Set<() => void>();
  #started: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: FleetOptions, ears: FleetEars) {
    this.#options = options;
    this.#ears = ears;
    this.#configured = options.servers;
    this.#catalogs = new FleetCatalogs(
      () => this.#configured,
      () => this.#servers.values(),
      options.log,
    );
    this.#notices = new ChangeNotices((connection) => {
      const keyOf = (server: string): string =>
        server === connection?.server ? connection.key : "";
      return this.#catalogs.of(keyOf).versions;
    });
    const enabled = options.servers.filter((server) => !server.disabled);
    this.#servers = new Map(enabled.map((server) => [server.id, this.#keep(server)]));
    this.programs = new ProgramStandings(this.#servers, this.#catalogs, this.moves);
  }

  /** Takes what the last run kept; resolves when it is at hand. */
  async recall(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.recall()));
  }

  /** Starts the servers of which nothing was kept, side by side, once they may. */
  start(mayStart: Promise<void>): void {
    const starts = [...this.#servers.values()].map((server) => mayStart.then(() => server.start()));
    this.#started = Promise.all(starts).then(() => undefined);
  }

  /** Resolves when every server has been listed or failed to, or when the patience with them ends. */
  async settled(): Promise<void> {
    await Promise.race([this.#started, delay(patienceMs, undefined, { ref: false })]);
    this.#notices.see();
    for (const server of this.#servers.values()) server.freshen();
  }

  /** What `find` finds in this client's catalogue, as soon as a server that is listed for the first time has it. */
  lookUp<Found>(
    client: Sharer,
    find: (catalog: Catalog) => Found | undefined,
  ): Found | Promise<Found | undefined> {
    const found = find(this.catalogOf(client));
    if (found === undefined) return this.#awaitFound(client, find);
    this.#notices.see();
    return found;
  }

  async #awaitFound<Found>(
    client: Sharer,
    find: (catalog: Catalog) => Found | undefined,
  ): Promise<Found | undefined> {
    let isStarted = false;
    const started = this.#started.then(() => {
      isStarted = true;
    });
    for (;;) {
      const found = find(this.catalogOf(client));
      if (found !== undefined || isStarted) {
        this.#notices.see();
        return found;
      }
      await Promise.race([started, this.#nextChange()]);
    }
  }

  /**
   * Ends everything that runs of a server: what is on its way gets some time, and nothing new is sent.
   *
   * @returns how to end the move, with what the server is from now on
   */
  async leave(id: string): Promise<(next: ServerConfig) => Promise<void>> {
    const end = this.moves.begin(id);
    const server = this.#servers.get(id);
    await server?.finish();
    this.moves.turn(id);
    await server?.leave();
    return async (next) => {
      try {
        await this.#enter(next);
      } finally {
        end();
      }
    };
  }

  /** What this client's servers list, before policy. */
  catalogOf(client: Sharer): Catalog {
    return this.#catalogs.of((id) => {
      const server = this.#servers.get(id);
      return server === undefined ? "" : connectionKey(server.config, client);
    });
  }

  get servers(): readonly ServerConfig[] {
    return [...this.#servers.values()].map(({ config }) => config);
  }

  /** How each of them does. */
  get standings(): readonly UpstreamStanding[] {
    return [...this.#servers].map(([server, { status }]) => ({ server, status }));
  }

  /** Those that never said anything, to anybody. */
  get silent(): readonly ServerConfig[] {
    return [...this.#servers.values()].flatMap(({ config, isSilent }) => (isSilent ? config : []));
  }

  /** What this client is told that a server said of itself. */
  greeting({ id }: ServerConfig, client: Sharer): UpstreamGreeting | undefined {
    const server = this.#servers.get(id);
    return server?.greeting(connectionKey(server.config, client));
  }

  /** Era and capabilities that this client's requests go by; no word of it is told. */
  known({ id }: ServerConfig, client: Sharer): UpstreamGreeting | undefined {
    const server = this.#servers.get(id);
    return server?.known(connectionKey(server.config, client));
  }

  /** Sends a request on the connection of this client; never rejects. */
  request(server: string, client: Sharer, wanted: UpstreamRequest): Promise<UpstreamReply> {
    const found = this.#servers.get(server);
    if (found === undefined) return Promise.resolve(notThere);
    if (this.moves.isTurning(server)) return Promise.resolve(isMoved);
    const [key, capabilities] = this.#placeOf(found, client);
    return found.request(key, capabilities, wanted);
  }

  /** Tells a server something, where the connection of this client is open. */
  notify(server: string, client: Sharer, method: string, params?: JsonObject): void {
    const found = this.#servers.get(server);
    if (found !== undefined) found.notify(connectionKey(found.config, client), method, params);
  }

  /** Tells one connection, where it is open, how talkative to be. */
  tellLogLevel(server: string, key: string, level: string): void {
    const connection = this.#servers.get(server)?.connection(key);
    if (connection !== undefined) tellLevel(connection, level);
  }

  /** Opens the connection of this client and waits until it hears changes. */
  async awaitChanges(server: string, client: Sharer): Promise<void> {
    const found = this.#servers.get(server);
    if (found !== undefined) await found.awaitChanges(...this.#placeOf(found, client));
  }

  /** Keeps a connection from being closed for being idle; returns how to stop. */
  hold(server: string, client: Sharer, listener: UpstreamListener): () => void {
    const found = this.#servers.get(server);
    if (found === undefined) return () => {};
    return this.#holds.add(found, (one) => one.hold(connectionKey(one.config, client), listener));
  }

  /** Ends the connections that only this client had. */
  forget(client: Sharer): void {
    for (const server of this.#servers.values()) {
      const isOwn = server.config.sharing === "session" && client.session !== undefined;
      if (isOwn) server.end(connectionKey(server.config, client));
    }
  }

  /** The server and its own URI behind one that a client gave. */
  routeUri(exposedUri: string, client: Sharer): UriRoute | undefined {
    return routeUri(this.catalogOf(client).uris, this.#uris, exposedUri, client.principal.key);
  }

  /** Notes that a result of a server mentioned this URI, so that its reader finds the server. */
  rememberUri(server: string, uri: string, principalKey: string): void {
    this.#uris.remember(server, uri, principalKey);
  }

  /** Calls `listener` after lists changed that somebody may have seen; returns how to stop. */
  onChange(listener: (change: ListChange) => void): () => void {
    return this.#notices.onChange(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#notices.close();
    this.#pinWatch.close();
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
  }

  #keep(config: ServerConfig): FleetServer {
    return keepServer(config, this.#options, this.#ears, (connection, told) =>
      this.#takeListing(connection, told),
    );
  }

  async #enter(config: ServerConfig): Promise<void> {
    if (this.#isClosed) return;
    const server = this.#keep(config);
    await server.recall();
    this.#configured = this.#configured.map((one) => (one.id === config.id ? config : one));
    this.#servers.set(config.id, server);
    this.#holds.renew(server);
    this.#takeListing(undefined, new Set());
    this.#started = Promise.all([this.#started, server.start()]).then(() => undefined);
  }

  #placeOf({ config }: FleetServer, client: Sharer): readonly [string, JsonObject] {
    return [connectionKey(config, client), declaredCapabilities(config, client)];
  }

  #takeListing(connection: ListChange["connection"], told: ListChange["kinds"]): void {
    this.#catalogs.rebuild(connection === undefined);
    this.#pinWatch.watch(this.#catalogs.withChangedTools);
    for (const wake of this.#changed) wake();
    this.#changed.clear();
    this.#notices.note(connection, told);
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => void this.#changed.add(resolve));
  }
}
