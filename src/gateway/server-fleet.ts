/**
 * All upstream servers of one gateway and the catalogue made of their lists. Servers start side by
 * side, each under one deadline; one that does not start, dies, hangs or lists nonsense takes away
 * its own tools and nothing else.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ServerConfig } from "../config/config.ts";
import type { Log } from "../contract/ambient.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { Catalog, CatalogTool, ServerListing } from "../mcp/catalog/catalog.ts";
import { buildCatalog, emptyCatalog } from "../mcp/catalog/catalog.ts";
import type { Upstream, UpstreamDeps } from "../mcp/upstream/connect-upstream.ts";

/** Starts one server; rejects when it cannot be, or when `signal` aborts. */
export type Connect = (
  server: ServerConfig,
  events: Pick<UpstreamDeps, "onToolsChanged" | "onLost" | "log" | "signal">,
) => Promise<Upstream>;

export interface FleetOptions {
  readonly servers: readonly ServerConfig[];
  readonly connect: Connect;
  readonly log: Log;
}

/** How long a list waits for servers that are slow to start; they come with a change notice. */
const patienceMs = 5000;

/** The running servers; `close` ends them all. */
export class ServerFleet {
  readonly #options: FleetOptions;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #listings = new Map<string, ServerListing>();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  /** Servers whose list is being asked for; true where it has to be asked for once more. */
  readonly #refreshing = new Map<string, boolean>();
  #catalog: Catalog = emptyCatalog;
  #started: Promise<void> = Promise.resolve();
  /** A list before the first answer was seen by nobody, so its changes are no news. */
  #isSeen = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts every server that is not disabled, side by side, once they may. */
  start(mayStart: Promise<void>): void {
    const enabled = this.#options.servers.filter((server) => !server.disabled);
    const starts = enabled.map((server) => mayStart.then(() => this.#startServer(server)));
    this.#started = Promise.all(starts).then(() => undefined);
  }

  /** Resolves when every server has started or failed to, or when the patience with them ends. */
  async settled(): Promise<void> {
    await Promise.race([this.#started, delay(patienceMs, undefined, { ref: false })]);
    this.#isSeen = true;
  }

  /** The tool of this exposed name, as soon as its server has listed it. */
  async find(exposedName: string): Promise<CatalogTool | undefined> {
    let isStarted = false;
    const started = this.#started.then(() => {
      isStarted = true;
    });
    for (;;) {
      const tool = this.#catalog.byExposedName.get(exposedName);
      if (tool !== undefined || isStarted) {
        this.#isSeen = true;
        return tool;
      }
      await Promise.race([started, this.#nextChange()]);
    }
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  upstream(server: string): Upstream | undefined {
    return this.#upstreams.get(server);
  }

  /** Calls `listener` after the catalogue changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    const notice = (): void => {
      if (this.#isSeen) listener();
    };
    this.#listeners.add(notice);
    return () => void this.#listeners.delete(notice);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#started;
    await Promise.all([...this.#upstreams.values()].map((upstream) => upstream.close()));
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      const once = (): void => {
        this.#listeners.delete(once);
        resolve();
      };
      this.#listeners.add(once);
    });
  }

  async #startServer(server: ServerConfig): Promise<void> {
    const log = this.#options.log.child({ server: server.id });
    const deadline = AbortSignal.timeout(server.startTimeoutMs);
    const signal = AbortSignal.any([deadline, this.#closing.signal]);
    try {
      const upstream = await this.#options.connect(server, {
        log,
        signal,
        onToolsChanged: () => void this.#refresh(server, log),
        onLost: (reason) => {
          log.error({ reason }, "upstream server ended; its tools are gone until a restart");
          this.#upstreams.delete(server.id);
          this.#replaceListing(server, undefined);
        },
      });
      this.#upstreams.set(server.id, upstream);
      await this.#refresh(server, log, signal);
    } catch (thrown) {
      log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "upstream server not started");
    }
  }

  /** Lists again; notices that come meanwhile, however many, lead to one more list. */
  async #refresh(server: ServerConfig, log: Log, signal?: AbortSignal): Promise<void> {
    if (this.#refreshing.has(server.id)) {
      this.#refreshing.set(server.id, true);
      return;
    }
    do {
      this.#refreshing.set(server.id, false);
      await this.#list(server, log, signal ?? AbortSignal.timeout(server.startTimeoutMs));
    } while (this.#refreshing.get(server.id) === true);
    this.#refreshing.delete(server.id);
  }

  async #list(server: ServerConfig, log: Log, signal: AbortSignal): Promise<void> {
    const upstream = this.#upstreams.get(server.id);
    if (upstream === undefined || this.#closing.signal.aborted) return;
    try {
      const tools = await upstream.listTools(signal);
      this.#replaceListing(server, { server: server.id, naming: server.naming, tools });
    } catch (thrown) {
      log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "upstream tools not listed");
    }
  }

  #replaceListing(server: ServerConfig, listing: ServerListing | undefined): void {
    if (listing === undefined) this.#listings.delete(server.id);
    else this.#listings.set(server.id, listing);
    const ids = this.#options.servers.map(({ id }) => id);
    this.#catalog = buildCatalog(
      ids.flatMap((id) => this.#listings.get(id) ?? []),
      ids,
    );
    for (const refused of this.#catalog.refused)
      this.#options.log.warn(refused, "tool not exposed");
    for (const listener of this.#listeners) listener();
  }
}
