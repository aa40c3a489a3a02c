/**
 * All upstream servers of one gateway and the catalogue made of their lists. Servers start side by
 * side; one that does not start, dies or lists nonsense takes away its own tools and nothing else.
 */
import type { ServerConfig } from "../config/config.ts";
import type { Log } from "../contract/ambient.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { Catalog, ServerListing } from "../mcp/catalog/catalog.ts";
import { buildCatalog, emptyCatalog } from "../mcp/catalog/catalog.ts";
import type { Upstream, UpstreamDeps } from "../mcp/upstream/connect-upstream.ts";

/** Starts one server; rejects when it cannot be. */
export type Connect = (
  server: ServerConfig,
  events: Pick<UpstreamDeps, "onToolsChanged" | "onLost" | "log">,
) => Promise<Upstream>;

export interface FleetDeps {
  readonly servers: readonly ServerConfig[];
  readonly connect: Connect;
  readonly log: Log;
}

/** The running servers; `close` ends them all. */
export class ServerFleet {
  readonly #deps: FleetDeps;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #listings = new Map<string, ServerListing>();
  readonly #listeners = new Set<() => void>();
  #catalog: Catalog = emptyCatalog;
  #started: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #isClosed = false;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  /** Starts every server that is not disabled, side by side, once they may. */
  start(mayStart: Promise<void>): void {
    const enabled = this.#deps.servers.filter((server) => !server.disabled);
    const starts = enabled.map((server) => mayStart.then(() => this.#startServer(server)));
    this.#started = Promise.all(starts).then(() => {
      this.#hasStarted = true;
    });
  }

  /** Resolves when every server has started or failed to. */
  get started(): Promise<void> {
    return this.#started;
  }

  get catalog(): Catalog {
    return this.#catalog;
  }

  upstream(server: string): Upstream | undefined {
    return this.#upstreams.get(server);
  }

  /** Calls `listener` after the catalogue changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#started;
    await Promise.all([...this.#upstreams.values()].map((upstream) => upstream.close()));
  }

  async #startServer(server: ServerConfig): Promise<void> {
    const log = this.#deps.log.child({ server: server.id });
    try {
      const upstream = await this.#deps.connect(server, {
        log,
        onToolsChanged: () => void this.#refresh(server, log),
        onLost: (reason) => {
          log.error({ reason }, "upstream server ended; its tools are gone until a restart");
          this.#upstreams.delete(server.id);
          this.#replaceListing(server, undefined);
        },
      });
      this.#upstreams.set(server.id, upstream);
      await this.#refresh(server, log);
    } catch (thrown) {
      log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "upstream server not started");
    }
  }

  async #refresh(server: ServerConfig, log: Log): Promise<void> {
    const upstream = this.#upstreams.get(server.id);
    if (upstream === undefined || this.#isClosed) return;
    try {
      const tools = await upstream.listTools();
      this.#replaceListing(server, { server: server.id, naming: server.naming, tools });
    } catch (thrown) {
      log.error({ code: codeOf(thrown), reason: messageOf(thrown) }, "upstream tools not listed");
    }
  }

  #replaceListing(server: ServerConfig, listing: ServerListing | undefined): void {
    if (listing === undefined) this.#listings.delete(server.id);
    else this.#listings.set(server.id, listing);
    const inOrder = this.#deps.servers.flatMap(({ id }) => this.#listings.get(id) ?? []);
    this.#catalog = buildCatalog(inOrder);
    for (const refused of this.#catalog.refused) this.#deps.log.warn(refused, "tool not exposed");
    // Lists wait for the start, so that nobody has seen one that could have changed.
    if (this.#hasStarted) for (const listener of this.#listeners) listener();
  }
}
