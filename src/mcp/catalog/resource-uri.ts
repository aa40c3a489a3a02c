/**
 * URIs of resources as a server and as a client writes them. A server with `resources: "prefix"` has
 * its id in front, `mcp-crm+file:///x`: a scheme of its own for each server, taken apart again only
 * where it is exactly that of a configured server that is exposed so.
 */
import type { ServerConfig } from "../../config/config.ts";

/** What the configuration says about a server's names and words. */
export type NamedServer = Pick<ServerConfig, "id" | "naming" | "resources" | "disabled" | "texts">;

/** A server and one of its own URIs. */
export interface UriRoute {
  readonly server: string;
  readonly uri: string;
  /** Of its definition, where the server listed it. */
  readonly digest?: string;
}

export const maxUriLength = 4096;
const uriPattern = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u;

/** True for what the gateway takes as a server's URI: 1 to 4096 characters, none of them hidden. */
export function isResourceUri(uri: unknown): uri is string {
  return typeof uri === "string" && uri.length <= maxUriLength && uriPattern.test(uri);
}

/** True for what a client fetches by itself, without asking the server that named it. */
export function isWebLink(uri: string): boolean {
  return /^https?:/i.test(uri);
}

/** The URI, or URI template, that clients see in place of a server's own. */
export function exposeUri(server: Pick<NamedServer, "id" | "resources">, uri: string): string {
  return server.resources === "prefix" ? `${prefixOf(server.id)}${uri}` : uri;
}

/** Why this URI or template cannot be exposed; `servers` are all that are configured. */
export function uriProblem(
  server: NamedServer,
  exposedUri: string,
  servers: readonly NamedServer[],
): string | undefined {
  const read = readPrefixedUri(exposedUri, prefixedIds(servers));
  return read === undefined || read.server === server.id
    ? undefined
    : `it begins like one of server "${read.server}"`;
}

/** Ids of the servers whose URIs have their id in front. */
export function prefixedIds(servers: readonly NamedServer[]): ReadonlySet<string> {
  return new Set(servers.filter(({ resources }) => resources === "prefix").map(({ id }) => id));
}

/** The server and its own URI behind a prefixed one; `prefixed` are the ids of servers that are. */
export function readPrefixedUri(
  exposedUri: string,
  prefixed: ReadonlySet<string>,
): UriRoute | undefined {
  if (!exposedUri.startsWith("mcp-")) return undefined;
  const server = exposedUri.slice("mcp-".length, Math.max(exposedUri.indexOf("+"), 0));
  if (!prefixed.has(server)) return undefined;
  return { server, uri: exposedUri.slice(prefixOf(server).length) };
}

function prefixOf(server: string): string {
  return `mcp-${server}+`;
}
