/**
 * Scopes: `mcp:<server>` lets a token into one server, `mcp` and `mcp:*` into all. A scope is read
 * from `scope` (RFC 9068), and from `scp` where the issuer does not write that.
 */

/** The scope that lets a token into this server. */
export function scopeOf(server: string): string {
  return `mcp:${server}`;
}

/** Servers that a token's scopes name: a set of config ids, or all; `none` where there are none. */
export type GrantedServers = ReadonlySet<string> | "all" | "none";

/** Reads the scopes of verified claims; what names no configured server counts for nothing. */
export function readScopes(
  claims: Readonly<Record<string, unknown>>,
  servers: readonly string[],
): GrantedServers {
  const scopes = new Set(wordsOf(claims["scope"] ?? claims["scp"]));
  if (scopes.has("mcp") || scopes.has("mcp:*")) return "all";
  const granted = servers.filter((server) => scopes.has(scopeOf(server)));
  return granted.length === 0 ? "none" : new Set(granted);
}

function wordsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return value.split(" ");
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}
