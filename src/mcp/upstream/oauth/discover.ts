/**
 * Finds the authorization server of an upstream server: protected resource metadata (RFC 9728),
 * then the authorization server's own (RFC 8414, OpenID Connect Discovery). Refuses a resource that
 * is not this server, an issuer that is not the one that was asked for, and metadata that is not
 * there: default endpoints are never guessed.
 */
import type {
  AuthorizationServerMetadata,
  OAuthProtectedResourceMetadata,
} from "@modelcontextprotocol/client";
import type { Challenge } from "./challenge.ts";
import { checkSafeUrl } from "./guarded-fetch.ts";
import type { OauthFetch } from "./guarded-fetch.ts";
import { OauthError } from "./oauth-error.ts";
import { settingsOf } from "./oauth-server.ts";
import type { OauthServer } from "./oauth-server.ts";
import { translated } from "./translate-error.ts";

/** An authorization server whose metadata was checked. */
export interface Discovery {
  readonly issuer: string;
  readonly metadata: AuthorizationServerMetadata;
  /** Value of the `resource` parameter (RFC 8707). */
  readonly resource: string;
  /** `scopes_supported` of the protected resource. */
  readonly resourceScopes: readonly string[];
}

/**
 * @throws OauthError `oauth_metadata_missing`, `oauth_metadata_invalid`, `oauth_issuer_mismatch`,
 * `oauth_resource_mismatch`, `oauth_unreachable`, `oauth_url_refused`, `oauth_response_too_large`.
 */
export async function discoverAuthorization(
  server: OauthServer,
  challenge: Challenge,
  fetch: OauthFetch,
): Promise<Discovery> {
  const protectedResource = await readProtectedResource(server, challenge, fetch);
  const resource = await checkResource(server, protectedResource);
  const issuer = chooseIssuer(server, protectedResource?.authorization_servers ?? []);
  const metadata = await readAuthorizationServer(server, issuer, fetch);
  const resourceScopes = protectedResource?.scopes_supported ?? [];
  return { issuer: metadata.issuer, metadata, resource, resourceScopes };
}

/**
 * The metadata of one authorization server, whose issuer is exactly the one asked for.
 *
 * @throws OauthError as `discoverAuthorization`.
 */
export async function readAuthorizationServer(
  server: OauthServer,
  issuer: string,
  fetch: OauthFetch,
): Promise<AuthorizationServerMetadata> {
  const { discoverAuthorizationServerMetadata } = await import("@modelcontextprotocol/client");
  const metadata = await translated(server, "authorization server metadata", () =>
    discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch }),
  );
  if (metadata === undefined) {
    const message = `server "${server.id}": expected metadata of an authorization server at ${new URL(issuer).host}, found none`;
    throw new OauthError("oauth_metadata_missing", message);
  }
  checkSafeUrl(server, new URL(metadata.authorization_endpoint), "authorization_endpoint");
  checkSafeUrl(server, new URL(metadata.token_endpoint), "token_endpoint");
  return metadata;
}

/** `undefined` where a server has none; the origin is then its authorization server (2025-03-26). */
async function readProtectedResource(
  server: OauthServer,
  { resourceMetadataUrl }: Challenge,
  fetch: OauthFetch,
): Promise<OAuthProtectedResourceMetadata | undefined> {
  const { discoverOAuthProtectedResourceMetadata: read } =
    await import("@modelcontextprotocol/client");
  if (resourceMetadataUrl !== undefined) {
    return await translated(server, "protected resource metadata", () =>
      read(server.url, { resourceMetadataUrl }, fetch),
    );
  }
  try {
    return await read(server.url, {}, fetch);
  } catch (thrown) {
    if (thrown instanceof OauthError) throw thrown;
    return undefined;
  }
}

async function checkResource(
  server: OauthServer,
  metadata: OAuthProtectedResourceMetadata | undefined,
): Promise<string> {
  const { checkResourceAllowed, resourceUrlFromServerUrl } =
    await import("@modelcontextprotocol/client");
  const requestedResource = resourceUrlFromServerUrl(server.url);
  if (metadata === undefined) return requestedResource.href;
  const configuredResource = metadata.resource;
  if (checkResourceAllowed({ requestedResource, configuredResource })) return configuredResource;
  const message = `server "${server.id}": expected metadata of the resource ${requestedResource.host}, found that of another; no token is asked for`;
  throw new OauthError("oauth_resource_mismatch", message);
}

/** The issuer that the operator names, else the first that the server names. */
function chooseIssuer(server: OauthServer, named: readonly string[]): string {
  const wanted = settingsOf(server).issuer;
  const first = named[0] ?? String(new URL("/", server.url));
  if (wanted === undefined) return first;
  const found = [...named, first].find((issuer) => isSameIssuer(issuer, wanted));
  if (found !== undefined) return found;
  const message = `server "${server.id}": expected the issuer of servers.${server.id}.oauth.issuer among those that the server names, found others; nothing was sent to them`;
  throw new OauthError("oauth_issuer_mismatch", message);
}

/** Metadata names an issuer with or without the slash that stands for an empty path. */
export function isSameIssuer(one: string, other: string): boolean {
  return one.replace(/\/$/, "") === other.replace(/\/$/, "");
}
