/**
 * What one open connection lists: read when it opens, and again whenever its server says that it
 * changed. A server may change its lists for one session alone, so what a connection lists is known
 * for that connection and for no other.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import type { ServerListing } from "../../mcp/catalog/read-listing.ts";
import type { ListedKind } from "../../mcp/upstream/list-all.ts";
import { listedKinds } from "../../mcp/upstream/list-all.ts";
import type { UpstreamConnection } from "../../mcp/upstream/upstream-connection.ts";
import type { Lists } from "./listing-store.ts";
import { readLists } from "./read-lists.ts";

export interface ConnectionListingDeps {
  readonly config: ServerConfig;
  readonly log: Log;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** What stands in for a list that cannot be read. */
  readonly standIn: () => ServerListing | undefined;
  /** Adds the pins to what was read. */
  readonly keep: (lists: Lists) => Promise<ServerListing>;
  readonly onRead: (read: ReadLists) => void;
}

export interface ReadLists {
  readonly listing: ServerListing;
  /** What this connection listed until now. */
  readonly before: ServerListing | undefined;
  /** Lists that the server itself said have changed. */
  readonly told: ReadonlySet<ListedKind>;
}

export class ConnectionListing {
  readonly connection: UpstreamConnection;
  readonly #deps: ConnectionListingDeps;
  #listing: ServerListing | undefined;
  #hasReadTools = false;
  #told = new Set<ListedKind>();
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Reads that are to come or under way. */
  #reads = 0;

  constructor(connection: UpstreamConnection, deps: ConnectionListingDeps) {
    this.connection = connection;
    this.#deps = deps;
  }

  /** `undefined` until it was read. */
  get listing(): ServerListing | undefined {
    return this.#listing;
  }

  /** The listing where its tools are what the program behind this connection says of itself. */
  get confirmed(): ServerListing | undefined {
    return this.#hasReadTools ? this.#listing : undefined;
  }

  /** True until everything that is to be read by now was read, or could not be. */
  get isReading(): boolean {
    return this.#reads > 0;
  }

  /** Takes an equal listing that others have, or one with other pins. */
  replace(listing: ServerListing): void {
    this.#listing = listing;
  }

  /** Resolves when everything that is to be read by now was read, or could not be. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Resolves with the next list; calls that come before it begins, however many, share it. */
  refresh(told: readonly ListedKind[] = []): Promise<void> {
    for (const kind of told) this.#told.add(kind);
    this.#next ??= this.#readNext();
    this.#last = this.#next;
    return this.#next;
  }

  async #readNext(): Promise<void> {
    this.#reads += 1;
    await this.#last;
    this.#next = undefined;
    await this.#read().catch((thrown: unknown) => {
      this.#hasReadTools = false;
      this.#deps.log.error({ reason: messageOf(thrown) }, "lists of a server not taken");
    });
    this.#reads -= 1;
  }

  async #read(): Promise<void> {
    const { config, log, signal: closing, standIn, keep, onRead } = this.#deps;
    const { id, startTimeoutMs: timeoutMs } = config;
    if (closing.aborted) return;
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), closing]);
    const told = this.#told;
    this.#told = new Set();
    const lists = await readLists(this.connection, { id, timeoutMs, signal, log });
    const known = this.#listing ?? standIn();
    const isWhole = listedKinds.every((kind) => lists[kind] !== undefined);
    // Half a first list would hide the rest until somebody asked again.
    if (closing.aborted || (!isWhole && known === undefined)) return;
    const listing = await keep({
      tools: lists.tools ?? known?.tools ?? [],
      prompts: lists.prompts ?? known?.prompts ?? [],
      resources: lists.resources ?? known?.resources ?? [],
      resourceTemplates: lists.resourceTemplates ?? known?.resourceTemplates ?? [],
    });
    const before = this.#listing;
    this.#listing = listing;
    this.#hasReadTools = lists.tools !== undefined;
    onRead({ listing, before, told });
  }
}
