/**
 * What all upstreams offer, merged, under the names that clients see. An item is identified by its
 * server's config id and its own exact name or URI; what is exposed is looked up whole and never
 * split by guess. Of two that collide neither is exposed until the configuration decides; a bad
 * item is left out with a reason and never spoils the list.
 */
import { sha256Of } from "../../contract/sha256.ts";
import type {
  CatalogItem,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  RefusedItem,
} from "./catalog-item.ts";
import { foldName } from "./expose-name.ts";
import { readListing } from "./read-listing.ts";
import type { ServerListing } from "./read-listing.ts";
import type { NamedServer } from "./resource-uri.ts";
import { mapUris } from "./uri-map.ts";
import type { UriMap } from "./uri-map.ts";

export interface Catalog {
  /** Each list in the order of the listings, then of the server's own list. */
  readonly tools: readonly CatalogTool[];
  readonly prompts: readonly CatalogPrompt[];
  readonly resources: readonly CatalogResource[];
  readonly resourceTemplates: readonly CatalogTemplate[];
  /** By exposed name. */
  readonly toolsByName: ReadonlyMap<string, CatalogTool>;
  readonly promptsByName: ReadonlyMap<string, CatalogPrompt>;
  /** By exposed template, for completion. */
  readonly templatesByUri: ReadonlyMap<string, CatalogTemplate>;
  /** A tool by its server's config id and its own name. */
  readonly tool: (server: string, name: string) => CatalogTool | undefined;
  readonly uris: UriMap;
  readonly refused: readonly RefusedItem[];
  /** Digest of names and definitions of each list, in order; part of every cursor. */
  readonly versions: CatalogVersions;
}

export type CatalogVersions = Readonly<
  Record<"tools" | "prompts" | "resources" | "resourceTemplates", string>
>;

export const emptyCatalog: Catalog = buildCatalog([], []);

/**
 * Merges what the servers listed; pure, and the same for the same listings. `servers` are all that
 * are configured, running or not; a listing of none of them is left out.
 */
export function buildCatalog(
  listings: readonly ServerListing[],
  servers: readonly NamedServer[],
): Catalog {
  const read = listings.flatMap((listing) => {
    const server = servers.find(({ id }) => id === listing.server);
    return server === undefined ? [] : [readListing({ listing, server, servers })];
  });
  const refused = read.flatMap((listing) => listing.refused);
  const tools = dropClashing(
    read.flatMap((listing) => listing.tools),
    refused,
  );
  const prompts = dropClashing(
    read.flatMap((listing) => listing.prompts),
    refused,
  );
  const templates = read.flatMap((listing) => listing.resourceTemplates);
  const resources = read.flatMap((listing) => listing.resources);
  const uris = mapUris({ servers, tools, resources, templates });
  const isClear = (item: CatalogItem): boolean => {
    if (!uris.clashing.has(item.exposedName)) return true;
    refused.push(refusal(item, "resources"));
    return false;
  };
  return index({
    tools,
    prompts,
    resources: resources.filter(isClear),
    resourceTemplates: templates.filter(isClear),
    uris,
    refused,
  });
}

function index(
  lists: Omit<Catalog, "toolsByName" | "promptsByName" | "templatesByUri" | "tool" | "versions">,
): Catalog {
  const { tools, prompts, resources, resourceTemplates } = lists;
  const own = new Map(tools.map((tool) => [keyOf(tool.server, tool.name), tool]));
  return {
    ...lists,
    tool: (server, name) => own.get(keyOf(server, name)),
    toolsByName: new Map(tools.map((tool) => [tool.exposedName, tool])),
    promptsByName: new Map(prompts.map((prompt) => [prompt.exposedName, prompt])),
    templatesByUri: new Map(resourceTemplates.map((item) => [item.exposedName, item])),
    versions: {
      tools: versionOf(tools.filter(({ isChanged }) => !isChanged)),
      prompts: versionOf(prompts),
      resources: versionOf(resources),
      resourceTemplates: versionOf(resourceTemplates),
    },
  };
}

/** Leaves out all of those that would have one name, and says so. */
function dropClashing<Item extends CatalogTool | CatalogPrompt>(
  items: readonly Item[],
  refused: RefusedItem[],
): readonly Item[] {
  const counts = new Map<string, number>();
  const folded = items.map((item) => foldName(item.exposedName));
  for (const name of folded) counts.set(name, (counts.get(name) ?? 0) + 1);
  return items.filter((item, at) => {
    if (counts.get(folded[at] ?? "") === 1) return true;
    refused.push(refusal(item, "naming"));
    return false;
  });
}

function refusal(item: CatalogItem, key: "naming" | "resources"): RefusedItem {
  const reason = `"${item.exposedName}" is exposed twice; set servers.${item.server}.${key} or rename one of them`;
  return { server: item.server, kind: item.kind, name: item.name, reason };
}

function versionOf(items: readonly CatalogItem[]): string {
  return sha256Of(items.map((item) => `${item.exposedName} ${item.digest}`).join("\n"));
}

/** Neither ids nor names of tools hold a space. */
function keyOf(server: string, name: string): string {
  return `${server} ${name}`;
}
