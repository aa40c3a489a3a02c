/**
 * Servers and listings as the tests of the catalogue write them.
 */
import { buildCatalog } from "../../../src/mcp/catalog/catalog.ts";
import type { Catalog } from "../../../src/mcp/catalog/catalog.ts";
import type { ServerListing } from "../../../src/mcp/catalog/read-listing.ts";
import type { NamedServer } from "../../../src/mcp/catalog/resource-uri.ts";

/** A server's configuration where it is not the default, and what it lists. */
export interface Listed {
  readonly id: string;
  readonly naming?: NamedServer["naming"];
  readonly uris?: NamedServer["resources"];
  readonly disabled?: boolean;
  readonly lists?: Partial<Omit<ServerListing, "server">>;
}

/** The catalogue of these servers. */
export function buildListed(listed: readonly Listed[]): Catalog {
  const listings = listed.flatMap(({ id, lists }) =>
    lists === undefined
      ? []
      : [{ server: id, tools: [], prompts: [], resources: [], resourceTemplates: [], ...lists }],
  );
  return buildCatalog(listings, listed.map(configOf));
}

/** The configuration of a server. */
export function configOf({ id, naming, uris, disabled }: Listed): NamedServer {
  return {
    id,
    naming: naming ?? "prefix",
    resources: uris ?? "original",
    disabled: disabled ?? false,
  };
}

/** A listed tool. */
export function tool(name: string, more: object = {}): object {
  return { name, inputSchema: { type: "object" }, ...more };
}

/** A listed resource whose name is its URI. */
export function resource(uri: string, more: object = {}): object {
  return { uri, name: uri, ...more };
}

/** A listed resource template. */
export function template(uriTemplate: string): object {
  return { uriTemplate, name: uriTemplate };
}

/** Exposed names, in order. */
export function namesOf(items: readonly { readonly exposedName: string }[]): readonly string[] {
  return items.map(({ exposedName }) => exposedName);
}
