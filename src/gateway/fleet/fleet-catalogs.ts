/**
 * The catalogues of all servers: one that everybody sees, and one for each set of connections that
 * list something else. Who has none of those costs nothing more.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { Log } from "../../contract/ambient.ts";
import type { Catalog } from "../../mcp/catalog/catalog.ts";
import { buildCatalog, emptyCatalog } from "../../mcp/catalog/catalog.ts";
import type { CatalogTool } from "../../mcp/catalog/catalog-item.ts";
import type { ServerListing } from "../../mcp/catalog/read-listing.ts";
import { readListing } from "../../mcp/catalog/read-listing.ts";
import type { FleetServer } from "./fleet-server.ts";

/** Catalogues beside the shared one; the one that was used longest ago is built anew. */
const maxOthers = 64;

export class FleetCatalogs {
  readonly #configured: () => readonly ServerConfig[];
  readonly #servers: () => Iterable<FleetServer>;
  readonly #log: Log;
  #shared: Catalog = emptyCatalog;
  /** By server id, what its connections list otherwise. */
  #others = new Map<string, ReadonlyMap<string, ServerListing>>();
  /** By the keys of the connections that it is made for. */
  readonly #built = new Map<string, Catalog>();

  constructor(
    configured: () => readonly ServerConfig[],
    servers: () => Iterable<FleetServer>,
    log: Log,
  ) {
    this.#configured = configured;
    this.#servers = servers;
    this.#log = log;
  }

  get shared(): Catalog {
    return this.#shared;
  }

  /** Ids of servers of which somebody sees a tool that changed since it was pinned. */
  get withChangedTools(): ReadonlySet<string> {
    const changed = this.#shared.tools.filter(({ isChanged }) => isChanged);
    const elsewhere = [...this.#others].flatMap(([id, listings]) =>
      [...listings.values()].some((listing) =>
        this.#toolsOf(listing).some((tool) => tool.isChanged),
      )
        ? [id]
        : [],
    );
    return new Set([...changed.map(({ server }) => server), ...elsewhere]);
  }

  /** The catalogue of who has these connections. */
  of(keyOf: (server: string) => string): Catalog {
    if (this.#others.size === 0) return this.#shared;
    const own = new Map<string, ServerListing>();
    let name = "";
    for (const [server, listings] of this.#others) {
      const key = keyOf(server);
      const listing = listings.get(key);
      if (listing === undefined) continue;
      own.set(server, listing);
      name += `${server} ${key}\n`;
    }
    return own.size === 0 ? this.#shared : this.#otherOf(name, own);
  }

  /** Takes what the servers list now; `isShared` where everybody's lists are among what changed. */
  rebuild(isShared: boolean): void {
    this.#built.clear();
    this.#others = new Map();
    for (const { config, listings } of this.#servers()) {
      const { others } = listings;
      if (others.size > 0) this.#others.set(config.id, others);
    }
    if (!isShared) return;
    this.#shared = this.#build(new Map());
    for (const refused of this.#shared.refused) this.#log.warn(refused, "listed item not exposed");
  }

  /** What a listing says of a tool that was found in a catalogue. */
  standing(listing: ServerListing | undefined, tool: CatalogTool): Standing {
    if (listing === undefined) return "unknown";
    const [found, ...others] = this.#toolsOf(listing).filter(({ name }) => name === tool.name);
    const isSame = found?.isChanged === false && found.digest === tool.digest;
    return isSame && others.length === 0 ? "as_pinned" : "changed";
  }

  #otherOf(name: string, own: ReadonlyMap<string, ServerListing>): Catalog {
    const catalog = this.#built.get(name) ?? this.#build(own);
    this.#built.delete(name);
    this.#built.set(name, catalog);
    const [oldest] = this.#built.keys();
    if (this.#built.size > maxOthers && oldest !== undefined) this.#built.delete(oldest);
    return catalog;
  }

  #build(own: ReadonlyMap<string, ServerListing>): Catalog {
    const listings = [...this.#servers()].flatMap(
      ({ config, listings: { shared } }) => own.get(config.id) ?? shared ?? [],
    );
    return buildCatalog(listings, this.#configured());
  }

  #toolsOf(listing: ServerListing): readonly CatalogTool[] {
    const servers = this.#configured();
    const server = servers.find(({ id }) => id === listing.server);
    return server === undefined ? [] : readListing({ listing, server, servers }).tools;
  }
}

/**
 * `unknown`: its server was not asked, or did not answer. `other_release`: the program is not the one
 * that was released with its policy.
 */
export type Standing = "as_pinned" | "changed" | "other_release" | "unknown";
