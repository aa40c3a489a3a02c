/**
 * One configured server as the fleet sees it: what it listed and said of itself, from this run or
 * from the last one, and the requests to it. A server that was listed before is started by the first
 * request; what it lists then replaces what was kept.
 */
import { setMaxListeners } from "node:events";
import type { ServerConfig } from "../../config/config.ts";
import type { JsonObject } from "../../contract/json.ts";
import { messageOf } from "../../errors.ts";
import type { ServerListing } from "../../mcp/catalog/read-listing.ts";
import type { ListedKind } from "../../mcp/upstream/list-all.ts";
import { SupervisedServer } from "../../mcp/upstream/supervise/supervised-server.ts";
import type {
  ServerNotification,
  UpstreamConnection,
  UpstreamConnectionEvents,
  UpstreamGreeting,
  UpstreamListener,
  UpstreamReply,
  UpstreamRequest,
} from "../../mcp/upstream/upstream-connection.ts";
import type { Era } from "../../mcp/wire/method-table.ts";
import { ChangeStream } from "./change-stream.ts";
import type { FleetServerDeps } from "./fleet-server-deps.ts";
import { listedKinds, readLists } from "./read-lists.ts";

const listChanges: Readonly<Record<string, readonly ListedKind[]>> = {
  "notifications/tools/list_changed": ["tools"],
  "notifications/prompts/list_changed": ["prompts"],
  "notifications/resources/list_changed": ["resources", "resourceTemplates"],
};
/** A new connection reads the lists where they are older. */
const freshMs = 30_000;
/** How often a server is tried that never listed anything. */
const retryMs = 30_000;
/** A list that was kept is read again by the first who asks for it when it is older. */
const staleMs = 60 * 60 * 1000;

export class FleetServer {
  readonly config: ServerConfig;
  readonly #deps: FleetServerDeps;
  readonly #supervised: SupervisedServer;
  readonly #closing = new AbortController();
  readonly #connections = new Map<string, UpstreamConnection>();
  readonly #changes = new Map<string, ChangeStream>();
  #listing: ServerListing | undefined;
  #greeting: UpstreamGreeting | undefined;
  #era: Era | undefined;
  #listedMs = -Infinity;
  /** When the program that runs was asked; a kept list is not its own, nor is that of one that died. */
  #readMs = -Infinity;
  #told = new Set<ListedKind>();
  #newest: UpstreamConnection | undefined;
  #lastList: Promise<void> = Promise.resolve();
  #nextList: Promise<void> | undefined;
  readonly #firstLists = new Map<string, Promise<void>>();
  #retry: NodeJS.Timeout | undefined;

  constructor(config: ServerConfig, deps: FleetServerDeps) {
    this.config = config;
    this.#deps = deps;
    // Everybody who waits for a connection listens.
    setMaxListeners(0, this.#closing.signal);
    this.#supervised = new SupervisedServer({
      id: config.id,
      maxConcurrent: config.maxConcurrent,
      maxConnections: config.maxConnections,
      idleTimeoutMs: config.idleTimeoutMs ?? deps.idleTimeoutMs,
      startTimeoutMs: config.startTimeoutMs,
      clock: deps.clock,
      log: deps.log,
      random: deps.random,
      connect: (_, capabilities, events, signal) => this.#connect(capabilities, events, signal),
      onConnected: (key, connection) => this.#greeted(key, connection),
      onLost: (key) => {
        this.#readMs = -Infinity;
        this.#endChanges(key);
        deps.onLost(key);
      },
      // Whoever still listens there finds out as if it had been lost.
      onStopped: (key) => {
        this.#endChanges(key);
        deps.onLost(key);
      },
      onNotification: (key, notification) => this.#hear(key, notification),
    });
  }

  get listing(): ServerListing | undefined {
    return this.#listing;
  }

  /** What it said of itself, in this run or the last one. */
  get greeting(): UpstreamGreeting | undefined {
    return this.#greeting;
  }

  /** The last one that was opened for this key; it may be closed meanwhile. */
  connection(key: string): UpstreamConnection | undefined {
    return this.#connections.get(key);
  }

  /** Takes what was kept of the last run; starts nothing. */
  async recall(): Promise<void> {
    const { clock, store, onListing } = this.#deps;
    const kept = await store.read(this.config);
    if (kept === undefined || this.#listing !== undefined) return;
    this.#greeting = kept.greeting;
    this.#era = kept.greeting.era;
    this.#listing = kept.listing;
    this.#listedMs = clock.monotonicMs() - (clock.nowMs() - kept.savedMs);
    onListing(new Set());
  }

  /** Starts a server of which nothing was kept and lists it, however that ends. */
  async start(): Promise<void> {
    if (this.#listing === undefined) await this.#firstList();
  }

  /** Has a list that is old read again, without anybody waiting for it. */
  freshen(): void {
    const ageMs = this.#deps.clock.monotonicMs() - this.#listedMs;
    if (this.#listing !== undefined && ageMs > staleMs) void this.connect();
  }

  /** Resolves when the server's own connection is open, or could not be opened. */
  async connect(
    key = this.#deps.own.key,
    capabilities = this.#deps.own.capabilities,
  ): Promise<void> {
    await this.#supervised.connect(key, capabilities, {
      timeoutMs: this.config.startTimeoutMs,
      signal: this.#closing.signal,
    });
  }

  /** Resolves when the program behind this connection was listed where it may be another one. */
  async settle(key: string, capabilities: JsonObject): Promise<void> {
    if (!this.#connections.has(key)) await this.connect(key, capabilities);
    await this.#firstLists.get(key);
  }

  /** Takes the pins that somebody made meanwhile. */
  async repin(): Promise<void> {
    const listing = this.#listing && (await this.#deps.store.repinned(this.#listing));
    if (listing === undefined || listing.before !== this.#listing) return;
    this.#listing = listing.now;
    this.#deps.onListing(new Set());
  }

  request(key: string, capabilities: JsonObject, wanted: UpstreamRequest): Promise<UpstreamReply> {
    return this.#supervised.request(key, capabilities, wanted);
  }

  notify(key: string, method: string, params?: JsonObject): void {
    this.#supervised.notify(key, method, params);
  }

  hold(key: string, listener: UpstreamListener): () => void {
    return this.#supervised.hold(key, listener);
  }

  /** Resolves when changes of this server are heard on this connection, as far as it tells them. */
  async awaitChanges(key: string, capabilities: JsonObject): Promise<void> {
    await this.connect(key, capabilities);
    await this.#changes.get(key)?.ready;
  }

  /** Ends the connection of one session. */
  end(key: string): void {
    this.#endChanges(key);
    this.#supervised.end(key);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#retry);
    for (const key of this.#changes.keys()) this.#endChanges(key);
    await this.#supervised.close();
  }

  async #firstList(): Promise<void> {
    await this.connect();
    if (this.#listing !== undefined || this.#closing.signal.aborted) return;
    // Connected and still listing, or not connected: whoever asks meanwhile finds nothing.
    await this.#firstLists.get(this.#deps.own.key);
    if (this.#listing !== undefined) return;
    this.#retry = setTimeout(() => void this.#firstList(), retryMs);
    this.#retry.unref();
  }

  async #connect(
    capabilities: JsonObject,
    events: UpstreamConnectionEvents,
    signal: AbortSignal,
  ): Promise<UpstreamConnection> {
    const { log } = this.#deps;
    return await this.#deps.connect(this.config, {
      capabilities,
      events,
      signal,
      log,
      knownEra: this.#era,
      onEra: (era) => {
        this.#era = era;
      },
    });
  }

  #greeted(key: string, connection: UpstreamConnection): void {
    this.#greeting = connection.greeting;
    this.#connections.set(key, connection);
    this.#deps.onConnected(key, connection);
    const stream = ChangeStream.open(connection, {
      onNotification: (notification) => this.#hear(key, notification),
      log: this.#deps.log,
    });
    if (stream !== undefined) this.#changes.set(key, stream);
    const isFresh = this.#deps.clock.monotonicMs() - this.#readMs < freshMs;
    if (!isFresh) this.#firstLists.set(key, this.#refresh(connection));
  }

  #hear(key: string, notification: ServerNotification): void {
    const changed = listChanges[notification.method];
    if (changed === undefined) return this.#deps.onHeard(key, notification);
    for (const kind of changed) this.#told.add(kind);
    const connection = this.#connections.get(key);
    // One that comes before the greeting is covered by the first list.
    if (connection !== undefined) void this.#refresh(connection);
  }

  #endChanges(key: string): void {
    this.#changes.get(key)?.close();
    this.#changes.delete(key);
    this.#connections.delete(key);
    this.#firstLists.delete(key);
  }

  /** Resolves with the next list; calls that come before it begins, however many, share it. */
  #refresh(connection: UpstreamConnection): Promise<void> {
    this.#newest = connection;
    this.#nextList ??= this.#lastList.then(async () => {
      this.#nextList = undefined;
      if (this.#newest !== undefined) await this.#list(this.#newest).catch(this.#notListed);
    });
    this.#lastList = this.#nextList;
    return this.#nextList;
  }

  readonly #notListed = (thrown: unknown): void => {
    this.#deps.log.error({ reason: messageOf(thrown) }, "lists of a server not taken");
  };

  async #list(connection: UpstreamConnection): Promise<void> {
    const { clock, log, store, onListing } = this.#deps;
    const { id, startTimeoutMs: timeoutMs } = this.config;
    if (this.#closing.signal.aborted) return;
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closing.signal]);
    const told = this.#told;
    this.#told = new Set();
    const lists = await readLists(connection, { id, timeoutMs, signal, log });
    const { listing } = this;
    const isWhole = listedKinds.every((kind) => lists[kind] !== undefined);
    // Half a first list would hide the rest until somebody asked again.
    if (this.#closing.signal.aborted || (!isWhole && listing === undefined)) return;
    this.#listedMs = clock.monotonicMs();
    const isOpen = [...this.#connections.values()].includes(connection);
    if (isOpen && lists.tools !== undefined) this.#readMs = this.#listedMs;
    this.#listing = await store.keep(this.config, connection.greeting, {
      tools: lists.tools ?? listing?.tools ?? [],
      prompts: lists.prompts ?? listing?.prompts ?? [],
      resources: lists.resources ?? listing?.resources ?? [],
      resourceTemplates: lists.resourceTemplates ?? listing?.resourceTemplates ?? [],
    });
    onListing(told);
  }
}
