/**
 * Which server a URI belongs to. What a server listed decides before what its templates match, that
 * before what its results mentioned, and that before there being one server alone. A server exposed
 * with a prefix owns all URIs with that prefix. Where two servers claim the same URI in the same way
 * it belongs to neither: the configuration has to prefix one.
 */
import type { CatalogResource, CatalogTemplate, CatalogTool } from "./catalog-item.ts";
import { matchesTemplate } from "./match-template.ts";
import type { NamedServer, UriRoute } from "./resource-uri.ts";
import { exposeUri, isWebLink, prefixedIds, readPrefixedUri, uriProblem } from "./resource-uri.ts";
import type { UriMemory } from "./uri-memory.ts";
import { uiResourcesOf } from "./ui-resource.ts";

export interface UriMap {
  /** By exposed URI: what was listed, and the user interfaces that tools name. */
  readonly routes: ReadonlyMap<string, UriRoute>;
  /** Exposed URIs and templates that two servers claim. */
  readonly clashing: ReadonlySet<string>;
  /** Of servers without a prefix. */
  readonly templates: readonly CatalogTemplate[];
  /** Ids of servers with one. */
  readonly prefixed: ReadonlySet<string>;
  /** Config id, where only one server is configured, without a prefix: all URIs are its own. */
  readonly onlyServer: string | undefined;
}

export interface MappedItems {
  /** All that are configured, running or not. */
  readonly servers: readonly NamedServer[];
  readonly tools: readonly CatalogTool[];
  readonly resources: readonly CatalogResource[];
  readonly templates: readonly CatalogTemplate[];
}

/** Maps the URIs of a catalogue. */
export function mapUris(items: MappedItems): UriMap {
  const routes = new Map<string, UriRoute>();
  const clashing = new Set<string>();
  const claim = (exposedUri: string, route: UriRoute): void => {
    const other = routes.get(exposedUri);
    if (other !== undefined && other.server !== route.server) clashing.add(exposedUri);
    if (other === undefined) routes.set(exposedUri, route);
  };
  for (const { exposedName, server, name: uri, digest } of items.resources) {
    claim(exposedName, { server, uri, digest });
  }
  for (const [exposedUri, route] of uiRoutes(items)) claim(exposedUri, route);
  for (const uri of clashing) routes.delete(uri);
  for (const template of clashingTemplates(items.templates)) clashing.add(template);
  const prefixed = prefixedIds(items.servers);
  const enabled = items.servers.filter(({ disabled }) => !disabled);
  const only = enabled.length === 1 ? enabled[0] : undefined;
  return {
    routes,
    clashing,
    templates: items.templates.filter(({ server }) => !prefixed.has(server)),
    prefixed,
    onlyServer: only?.resources === "original" ? only.id : undefined,
  };
}

/**
 * The server that a client's URI belongs to, and the URI as that server knows it; `undefined` where
 * it is nobody's, or more than one's.
 */
export function routeUri(
  map: UriMap,
  memory: UriMemory,
  exposedUri: string,
  principalKey: string,
): UriRoute | undefined {
  if (map.clashing.has(exposedUri)) return undefined;
  const known = map.routes.get(exposedUri) ?? readPrefixedUri(exposedUri, map.prefixed);
  if (known !== undefined) return known;
  const matching = map.templates.filter(({ pattern }) => matchesTemplate(pattern, exposedUri));
  const claims = [
    new Set(matching.map(({ server }) => server)),
    new Set(mentioners(map, memory, exposedUri, principalKey)),
    new Set(map.onlyServer === undefined ? [] : [map.onlyServer]),
  ];
  const [owner, ...others] = claims.find(({ size }) => size > 0) ?? [];
  if (owner === undefined || others.length > 0) return undefined;
  return { server: owner, uri: exposedUri };
}

/** A mention by a server with a prefix counts where the client got it without: a link to the web. */
function mentioners(
  map: UriMap,
  memory: UriMemory,
  uri: string,
  principalKey: string,
): readonly string[] {
  const servers = memory.serversOf(uri, principalKey);
  return isWebLink(uri) ? servers : servers.filter((server) => !map.prefixed.has(server));
}

/** The user interfaces (`ui://…`) that tools name; they need not be listed as resources. */
function uiRoutes({ servers, tools }: MappedItems): readonly (readonly [string, UriRoute])[] {
  return tools.flatMap((tool) => {
    const server = servers.find(({ id }) => id === tool.server);
    if (server === undefined || tool.isChanged) return [];
    return uiResourcesOf(tool.definition).flatMap((uri) => {
      const exposedUri = exposeUri(server, uri);
      const isOwn = uriProblem(server, exposedUri, servers) === undefined;
      return isOwn ? [[exposedUri, { server: server.id, uri }] as const] : [];
    });
  });
}

function clashingTemplates(templates: readonly CatalogTemplate[]): ReadonlySet<string> {
  const owners = new Map<string, string>();
  const clashing = new Set<string>();
  for (const { exposedName, server } of templates) {
    if ((owners.get(exposedName) ?? server) !== server) clashing.add(exposedName);
    owners.set(exposedName, server);
  }
  return clashing;
}
