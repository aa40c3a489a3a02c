/**
 * All upstream servers of one gateway and the catalogue made of their lists. One that does not
 * start, dies, hangs or lists nonsense takes away its own tools and nothing else.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ServerConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { Catalog } from "../../mcp/catalog/catalog.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import { buildCatalog, emptyCatalog } from "../../mcp/catalog/catalog.ts";
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
import type { ListKind } from "../gateway.ts";
import type { Sharer } from "./connection-key.ts";
import { connectionKey, declaredCapabilities } from "./connection-key.ts";
import type { Connect } from "./fleet-server-deps.ts";
import { FleetServer } from "./fleet-server.ts";
import { tellLevel } from "./log-levels.ts";
import type { ListingStore } from "./listing-store.ts";
import { PinWatch } from "./pin-watch.ts";

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
/** Of connections that outlive their clients. */
const idleTimeoutMs = 600_000;
/** Changes come in bursts; clients are told once. */
const changeDelayMs = 100;
const listKinds: readonly ListKind[] = ["tools", "prompts", "resources", "resourceTemplates"];

/** The configured servers; `close` ends what runs of them. */
export class ServerFleet {
  readonly #options: FleetOptions;
  readonly #servers: ReadonlyMap<string, FleetServer>;
  readonly #uris = new UriMemory();
  readonly #pinWatch = new PinWatch(async (server) => await this.#servers.get(server)?.repin());
  readonly #changed = new Set<() => void>();
  readonly #listeners = new Set<(kinds: ReadonlySet<ListKind>) => void>();
  #catalog: Catalog = emptyCatalog;
  #told: Catalog = emptyCatalog;
  #started: Promise<void> = Promise.resolve();
  /** A list before the first answer was seen by nobody, so its changes are no news. */
  #isSeen = false;
  #timer: NodeJS.Timeout | undefined;
  /** What servers said has changed, whether or not it shows. */
  #news = new Set<ListKind>();

  constructor(options: FleetOptions, ears: FleetEars) {
    this.#options = options;
    const enabled = options.servers.filter((server) => !server.disabled);
    this.#servers = new Map(enabled.map((server) => [server.id, this.#keep(server, ears)]));
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
    this.#see();
    for (const server of this.#servers.values()) server.freshen();
  }

  /** What `find` finds in the catalogue, as soon as a server that is listed for the first time has it. */
  async lookUp<Found>(find: (catalog: Catalog) => Found | undefined): Promise<Found | undefined> {
    let isStarted = false;
    const started = this.#started.then(() => {
      isStarted = true;
    });
    for (;;) {
      const found = find(this.#catalog);
      if (found !== undefined || isStarted) {
        this.#see();
        return found;
      }
      await Promise.race([started, this.#nextChange()]);
    }
  }

  /**
   * True where the program that runs describes a tool as it was pinned; starts it where it does not
   * run, since it may be another one than last time.
   */
  async isAsPinned(tool: CatalogTool, client: Sharer): Promise<boolean> {
    const server = this.#servers.get(tool.server);
    if (server !== undefined) await server.settle(...this.#placeOf(server, client));
    const now = this.#catalog.tool(tool.server, tool.name);
    return now?.isChanged === false && now.digest === tool.digest;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  get servers(): readonly ServerConfig[] {
    return [...this.#servers.values()].map(({ config }) => config);
  }

  /** By server, in the config's order; `undefined` for one that never said anything. */
  get greetings(): readonly (readonly [ServerConfig, UpstreamGreeting | undefined])[] {
    return [...this.#servers.values()].map(({ config, greeting }) => [config, greeting]);
  }

  greeting(server: string): UpstreamGreeting | undefined {
    return this.#servers.get(server)?.greeting;
  }

  /** Sends a request on the connection of this client; never rejects. */
  async request(server: string, client: Sharer, wanted: UpstreamRequest): Promise<UpstreamReply> {
    const found = this.#servers.get(server);
    if (found === undefined) return notThere;
    const [key, capabilities] = this.#placeOf(found, client);
    return await found.request(key, capabilities, wanted);
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
    return found?.hold(connectionKey(found.config, client), listener) ?? (() => {});
  }

  /** Ends the connections that only this client had. */
  forget(client: Sharer): void {
    for (const server of this.#servers.values()) {
      const isOwn = server.config.sharing === "session" && client.session !== undefined;
      if (isOwn) server.end(connectionKey(server.config, client));
    }
  }

  /** The server and its own URI behind one that a client gave. */
  routeUri(exposedUri: string, principalKey: string): UriRoute | undefined {
    return routeUri(this.#catalog.uris, this.#uris, exposedUri, principalKey);
  }

  /** Notes that a result of a server mentioned this URI, so that its reader finds the server. */
  rememberUri(server: string, uri: string, principalKey: string): void {
    this.#uris.remember(server, uri, principalKey);
  }

  /** Calls `listener` after lists changed that somebody may have seen; returns how to stop. */
  onChange(listener: (kinds: ReadonlySet<ListKind>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#pinWatch.close();
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
  }

  #keep(config: ServerConfig, ears: FleetEars): FleetServer {
    const { connect, store, clock, random, own } = this.#options;
    return new FleetServer(config, {
      connect,
      store,
      clock,
      random,
      // What one client alone has keeps its state as if the client had started it.
      idleTimeoutMs: own.session === undefined ? idleTimeoutMs : 0,
      log: this.#options.log.child({ server: config.id }),
      own: {
        key: connectionKey(config, own),
        // The client is not known yet where the lists are read on its own connection.
        capabilities: declaredCapabilities(config, { ...own, session: undefined }),
      },
      onListing: (told) => this.#rebuild(told),
      onHeard: (key, notification) => ears.onHeard(config, key, notification),
      onConnected: (key, connection) => ears.onConnected(config, key, connection),
      onLost: (key) => ears.onLost(config, key),
    });
  }

  #placeOf({ config }: FleetServer, client: Sharer): readonly [string, JsonObject] {
    return [connectionKey(config, client), declaredCapabilities(config, client)];
  }

  #rebuild(told: ReadonlySet<ListKind>): void {
    for (const kind of told) this.#news.add(kind);
    const { servers, log } = this.#options;
    const listings = [...this.#servers.values()].flatMap(({ listing }) => listing ?? []);
    this.#catalog = buildCatalog(listings, servers);
    const changed = this.#catalog.tools.filter(({ isChanged }) => isChanged);
    this.#pinWatch.watch(new Set(changed.map(({ server }) => server)));
    for (const refused of this.#catalog.refused) log.warn(refused, "listed item not exposed");
    for (const wake of this.#changed) wake();
    this.#changed.clear();
    if (!this.#isSeen) return;
    this.#timer ??= setTimeout(() => this.#tell(), changeDelayMs);
  }

  #tell(): void {
    this.#timer = undefined;
    const [before, now] = [this.#told.versions, this.#catalog.versions];
    const kinds = new Set(
      listKinds.filter((kind) => this.#news.has(kind) || before[kind] !== now[kind]),
    );
    this.#news = new Set();
    this.#told = this.#catalog;
    if (kinds.size > 0) for (const listener of this.#listeners) listener(kinds);
  }

  #see(): void {
    if (!this.#isSeen) this.#told = this.#catalog;
    this.#isSeen = true;
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => void this.#changed.add(resolve));
  }
}

const notThere: UpstreamReply = {
  kind: "failed",
  code: "upstream_unavailable",
  message: "it is not configured, or disabled",
};
