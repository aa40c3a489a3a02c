/**
 * Tells clients where tokens for this gateway come from: the protected resource metadata of RFC
 * 9728, and where it is found.
 */
import { scopeOf } from "./read-scopes.ts";

/** The document, in the names of RFC 9728 §2; members without a value are left out (§3.2). */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ["header"];
  readonly resource_name: string;
}

/**
 * The document; `undefined` where no issuer is configured, since then nobody could follow it.
 *
 * @param resource - canonical URL of the gateway
 * @param servers - config ids, each with a scope of its own
 */
export function buildResourceMetadata(
  resource: string,
  issuers: readonly string[],
  servers: readonly string[],
): ResourceMetadata | undefined {
  if (issuers.length === 0) return undefined;
  return {
    resource,
    authorization_servers: issuers,
    ...(servers.length > 0 && { scopes_supported: servers.map(scopeOf) }),
    bearer_methods_supported: ["header"],
    resource_name: "mcp-gateway",
  };
}

/** Where the document is: its well-known name stands between host and path (RFC 9728 §3.1). */
export function resourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource);
  const path = pathname === "/" ? "" : pathname;
  return `${origin}/.well-known/oauth-protected-resource${path}${search}`;
}
