/**
 * What a server asks for in `WWW-Authenticate` (RFC 6750, RFC 9728 §5.1). It is the server's text
 * and may be anything; what does not have the right form is as if it were not there.
 */
import { OauthError } from "./oauth-error.ts";
import type { OauthServer } from "./oauth-server.ts";
import { scopesIn } from "./scopes.ts";

export interface Challenge {
  /** Where the protected resource's metadata is; not yet judged. */
  readonly resourceMetadataUrl: URL | undefined;
  readonly scopes: readonly string[];
  readonly error: string | undefined;
}

/** A server that asked for nothing in particular. */
export const noChallenge: Challenge = {
  resourceMetadataUrl: undefined,
  scopes: [],
  error: undefined,
};

const maxHeaderLength = 16_384;
const parameter = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/**
 * Reads the challenge of the scheme `Bearer`.
 *
 * @throws OauthError `oauth_metadata_invalid` where the metadata's URL is none.
 */
export function readChallenge(server: OauthServer, header: string | undefined): Challenge {
  const start = header === undefined ? -1 : header.search(/(?:^|,\s*)Bearer(?:\s|$)/i);
  if (header === undefined || start < 0 || header.length > maxHeaderLength) return noChallenge;
  const found = new Map<string, string>();
  for (const [, name = "", quoted, plain] of header.slice(start).matchAll(parameter)) {
    const key = name.toLowerCase();
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "";
    if (!found.has(key)) found.set(key, value);
  }
  return {
    resourceMetadataUrl: readUrl(server, found.get("resource_metadata")),
    scopes: scopesIn(found.get("scope")),
    error: found.get("error"),
  };
}

function readUrl(server: OauthServer, text: string | undefined): URL | undefined {
  if (text === undefined || text === "") return undefined;
  if (URL.canParse(text)) return new URL(text);
  throw new OauthError(
    "oauth_metadata_invalid",
    `server "${server.id}": expected a URL as resource_metadata of its WWW-Authenticate, found other text`,
  );
}
