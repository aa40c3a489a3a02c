/**
 * What one server lists: to everybody, as the gateway's own connection read it in this run or the
 * last, and to each connection that it tells something else. A connection whose lists are equal to
 * everybody's has none of its own.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { ServerListing } from "../../mcp/catalog/read-listing.ts";
import type { ListedKind } from "../../mcp/upstream/list-all.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";
import type { ReadLists } from "./connection-listing.ts";
import { ConnectionListing } from "./connection-listing.ts";
import type { FleetServerDeps } from "./fleet-server-deps.ts";
import { isSameListing } from "./listing-store.ts";

type Deps = Pick<FleetServerDeps, "clock" | "log" | "onListing" | "own" | "store"> & {
  readonly config: ServerConfig;
  /** Ends all reading. */
  readonly signal: AbortSignal;
};

export class ServerListings {
  readonly #deps: Deps;
  readonly #open = new Map<string, ConnectionListing>();
  #shared: ServerListing | undefined;
  #readMs = -Infinity;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What everybody sees whose connection lists nothing else. */
  get shared(): ServerListing | undefined {
    return this.#shared;
  }

  /** When it was read; monotonic. */
  get readMs(): number {
    return this.#readMs;
  }

  /** What each connection lists that lists something else, by its key. */
  get others(): ReadonlyMap<string, ServerListing> {
    const others = [...this.#open].flatMap(([key, { listing }]) =>
      listing === undefined || listing === this.#shared ? [] : [[key, listing] as const],
    );
    return new Map(others);
  }

  /** Takes what the last run read. */
  recall(listing: ServerListing, readMs: number): void {
    this.#shared = listing;
    this.#readMs = readMs;
    this.#deps.onListing(this.#deps.own.key, new Set());
  }

  /** A connection was opened: it is read. */
  open(key: string, connection: UpstreamConnection): void {
    const { config, log, signal, store, own } = this.#deps;
    const isOwn = key === own.key;
    const lists = new ConnectionListing(connection, {
      config,
      log,
      signal,
      standIn: () => this.#shared,
      keep: (read) =>
        isOwn ? store.keep(config, connection.greeting, read) : store.meet(config, read),
      onRead: (read) => this.#take(key, lists, read),
    });
    this.#open.set(key, lists);
    void lists.refresh();
  }

  /** A connection is gone, and with it what it alone was told. */
  close(key: string): void {
    const hadOther = this.others.has(key);
    this.#open.delete(key);
    if (hadOther) this.#deps.onListing(key, new Set());
  }

  /** Reads a connection again, where it is open; `told` is what its server said has changed. */
  refresh(key: string, told: readonly ListedKind[] = []): void {
    void this.#open.get(key)?.refresh(told);
    // What changed for one session may have changed for all: the next who asks finds out.
    if (!this.#open.has(this.#deps.own.key)) this.#readMs = -Infinity;
  }

  /** Resolves when the program behind this connection was asked, whatever it said. */
  async settled(key: string): Promise<void> {
    await this.#open.get(key)?.settled();
  }

  /** True where `settled` has something to wait for. */
  isReading(key: string): boolean {
    return this.#open.get(key)?.isReading === true;
  }

  /** What the program behind this connection said of its tools; `undefined` where it did not. */
  confirmedBy(connection: UpstreamConnection): ServerListing | undefined {
    return this.#listsOf(connection)?.confirmed;
  }

  /** The reading that has to end before `confirmedBy` can tell; `undefined` where it can. */
  known(connection: UpstreamConnection): Promise<void> | undefined {
    const lists = this.#listsOf(connection);
    return lists?.confirmed === undefined ? lists?.settled() : undefined;
  }

  /** Takes the pins that somebody made meanwhile. */
  async repin(): Promise<void> {
    const { onListing, own, store } = this.#deps;
    const before = this.#shared;
    const now = before && (await store.repinned(before));
    if (now !== undefined && before === this.#shared) {
      this.#share(now);
      onListing(own.key, new Set());
    }
    for (const [key, listing] of this.others) {
      const repinned = await store.repinned(listing);
      const lists = this.#open.get(key);
      if (repinned === undefined || lists?.listing !== listing) continue;
      lists.replace(this.#sharedOr(repinned));
      onListing(key, new Set());
    }
  }

  #listsOf(connection: UpstreamConnection): ConnectionListing | undefined {
    for (const lists of this.#open.values()) if (lists.connection === connection) return lists;
    return undefined;
  }

  #take(key: string, lists: ConnectionListing, { listing, before, told }: ReadLists): void {
    const { clock, onListing, own } = this.#deps;
    if (key === own.key) {
      // It may have been lost meanwhile; what the server itself said is good still.
      this.#readMs = clock.monotonicMs();
      this.#share(listing);
      return onListing(key, told);
    }
    if (this.#open.get(key) !== lists) return;
    lists.replace(this.#sharedOr(listing));
    const isAsBefore = lists.listing === (before ?? this.#shared);
    if (!isAsBefore || told.size > 0) onListing(key, told);
  }

  #share(listing: ServerListing): void {
    const before = this.#shared;
    this.#shared = listing;
    const own = this.#open.get(this.#deps.own.key);
    for (const lists of this.#open.values()) {
      if (lists.listing === undefined) continue;
      if (lists === own) lists.replace(listing);
      // Who shared the one before was told so by its own server, and keeps it until it is told more.
      else if (lists.listing !== before) lists.replace(this.#sharedOr(lists.listing));
    }
  }

  #sharedOr(listing: ServerListing): ServerListing {
    const shared = this.#shared;
    return shared !== undefined && isSameListing(shared, listing) ? shared : listing;
  }
}
