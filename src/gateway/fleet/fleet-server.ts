/**
 * One configured server as the fleet sees it: what it listed and said of itself, from this run or
 * from the last one, and the requests to it. A server that was listed before is started by the first
 * request. What the gateway's own connection lists and says of itself is everybody's, until a
 * connection of theirs has spoken for itself.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerConfig } from "../../config/config.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { ListedKind } from "../../mcp/upstream/list-all.ts";
import { SupervisedServer } from "../../mcp/upstream/supervise/supervised-server.ts";
import type { SupervisorStatus } from "../../mcp/upstream/supervise/supervisor-options.ts";
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
import { ServerListings } from "./server-listings.ts";

/** A connection that stands, and what it says of itself. */
interface OpenConnection {
  readonly connection: UpstreamConnection;
  readonly changes: ChangeStream | undefined;
}

const listChanges: Readonly<Record<string, readonly ListedKind[]>> = {
  "notifications/tools/list_changed": ["tools"],
  "notifications/prompts/list_changed": ["prompts"],
  "notifications/resources/list_changed": ["resources", "resourceTemplates"],
};
/** How often a server is tried that never listed anything. */
const retryMs = 30_000;
/** A list that was kept is read again by the first who asks for it when it is older. */
const staleMs = 60 * 60 * 1000;
/** How long what is on its way may take before a server is left. */
const finishMs = 5000;
const finishStepMs = 25;
/** How long a decision may take that is to be sent still. */
const decidedMs = 250;

export class FleetServer {
  readonly config: ServerConfig;
  readonly #deps: FleetServerDeps;
  readonly #supervised: SupervisedServer;
  readonly #closing = new AbortController();
  readonly #open = new Map<string, OpenConnection>();
  readonly listings: ServerListings;
  /** Of the gateway's own connection, in this run or the last one. */
  #shared: UpstreamGreeting | undefined;
  /** Of any other one, without what only those who share that one may be told. */
  #elsewhere: UpstreamGreeting | undefined;
  #era: Era | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(config: ServerConfig, deps: FleetServerDeps) {
    this.config = config;
    this.#deps = deps;
    // Everybody who waits for a connection listens.
    setMaxListeners(0, this.#closing.signal);
    this.listings = new ServerListings({ ...deps, config, signal: this.#closing.signal });
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
      onLost: (key) => this.#lost(key),
      // Whoever still listens there finds out as if it had been lost.
      onStopped: (key) => this.#lost(key),
      onNotification: (key, notification) => this.#hear(key, notification),
    });
  }

  /** What whoever shares this connection is told that it said of itself. */
  greeting(key: string): UpstreamGreeting | undefined {
    return this.#open.get(key)?.connection.greeting ?? this.#shared;
  }

  /** Era and capabilities that requests of this connection go by; at worst those of another one. */
  known(key: string): UpstreamGreeting | undefined {
    return this.greeting(key) ?? this.#elsewhere;
  }

  /** True for one that never said anything to anybody, in this run or the last one. */
  get isSilent(): boolean {
    return this.#shared === undefined && this.#elsewhere === undefined;
  }

  /** How its connections do. */
  get status(): SupervisorStatus {
    return this.#supervised.status();
  }

  /** The one that is open for this key. */
  connection(key: string): UpstreamConnection | undefined {
    return this.#open.get(key)?.connection;
  }

  /** Takes what was kept of the last run; starts nothing. */
  async recall(): Promise<void> {
    const { clock, store } = this.#deps;
    await store.align(this.config);
    const kept = await store.read(this.config);
    if (kept === undefined || this.listings.shared !== undefined) return;
    this.#shared = kept.greeting;
    this.#era = kept.greeting.era;
    this.listings.recall(kept.listing, clock.monotonicMs() - (clock.nowMs() - kept.savedMs));
  }

  /** Starts a server of which nothing was kept and lists it, however that ends. */
  async start(): Promise<void> {
    if (this.listings.shared === undefined) await this.#firstList();
  }

  /** Has a list that is old read again, without anybody waiting for it. */
  freshen(): void {
    const { clock, own } = this.#deps;
    const ageMs = clock.monotonicMs() - this.listings.readMs;
    if (this.listings.shared === undefined || ageMs <= staleMs) return;
    if (this.#open.has(own.key)) this.listings.refresh(own.key);
    else void this.connect();
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

  /** Resolves when the program behind this connection was listed, or could not be. */
  async settle(key: string, capabilities: JsonObject): Promise<void> {
    if (!this.#open.has(key)) await this.connect(key, capabilities);
    await this.listings.settled(key);
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
    await this.#open.get(key)?.changes?.ready;
  }

  /** Ends the connection of one session. */
  end(key: string): void {
    this.#forget(key);
    this.#supervised.end(key);
  }

  /** Resolves when what is decided and on its way has ended, or has had its time. */
  async finish(): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + finishMs;
    await delay(decidedMs);
    while (this.#supervised.isBusy && clock.monotonicMs() < untilMs) await delay(finishStepMs);
  }

  /** Closes it for good; whoever listens to its connections hears that they are gone. */
  async leave(): Promise<void> {
    const { onLost } = this.#deps;
    const keys = [...this.#open.keys()];
    await this.close();
    for (const key of keys) onLost(key);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#retry);
    for (const key of this.#open.keys()) this.#forget(key);
    await this.#supervised.close();
  }

  async #firstList(): Promise<void> {
    await this.connect();
    if (this.listings.shared !== undefined || this.#closing.signal.aborted) return;
    // Connected and still listing, or not connected: whoever asks meanwhile finds nothing.
    await this.listings.settled(this.#deps.own.key);
    if (this.listings.shared !== undefined) return;
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
    const { clock, log, onConnected } = this.#deps;
    const { greeting } = connection;
    if (key === this.#deps.own.key) this.#shared = greeting;
    else this.#elsewhere = { ...greeting, serverInfo: {}, instructions: undefined };
    const changes = ChangeStream.open(connection, {
      onNotification: (notification) => this.#hear(key, notification),
      onBack: () => this.listings.refresh(key),
      clock,
      log,
    });
    this.#open.set(key, { connection, changes });
    onConnected(key, connection);
    this.listings.open(key, connection);
  }

  #hear(key: string, notification: ServerNotification): void {
    const changed = listChanges[notification.method];
    // One that comes before the greeting is covered by the first list.
    if (changed !== undefined) this.listings.refresh(key, changed);
    else this.#deps.onHeard(key, notification);
  }

  #lost(key: string): void {
    this.#forget(key);
    this.#deps.onLost(key);
  }

  #forget(key: string): void {
    this.#open.get(key)?.changes?.close();
    this.#open.delete(key);
    this.listings.close(key);
  }
}
