/**
 * The requests to a token endpoint, each with PKCE or a grant of its own, the resource that the
 * token is for, and answers that are checked before anything is kept of them.
 */
import type { OAuthTokens as WireTokens } from "@modelcontextprotocol/client";
import type { Clock } from "../../../contract/ambient.ts";
import { clientInformation } from "./client-registration.ts";
import type { Credential, OauthClient, OauthTokens } from "./credential.ts";
import { readAuthorizationServer } from "./discover.ts";
import type { Discovery } from "./discover.ts";
import type { OauthFetch } from "./guarded-fetch.ts";
import { OauthError } from "./oauth-error.ts";
import type { OauthServer } from "./oauth-server.ts";
import { scopesIn, scopeText } from "./scopes.ts";
import { translated } from "./translate-error.ts";

export interface TokenContext {
  readonly server: OauthServer;
  readonly clock: Clock;
  readonly fetch: OauthFetch;
}

export interface CodeExchange {
  readonly discovery: Discovery;
  readonly client: OauthClient;
  readonly code: string;
  /** `iss` of the callback (RFC 9207). */
  readonly iss: string | undefined;
  readonly codeVerifier: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

/**
 * Trades an authorization code for tokens; a wrong or missing `iss` ends it before anything is sent.
 *
 * @throws OauthError
 */
export async function exchangeCode(
  context: TokenContext,
  exchange: CodeExchange,
): Promise<OauthTokens> {
  const { exchangeAuthorization } = await import("@modelcontextprotocol/client");
  const { discovery, iss } = exchange;
  const tokens = await translated(context.server, "exchange of the authorization code", () =>
    exchangeAuthorization(discovery.issuer, {
      metadata: discovery.metadata,
      clientInformation: clientInformation(context.server, exchange.client),
      authorizationCode: exchange.code,
      codeVerifier: exchange.codeVerifier,
      redirectUri: exchange.redirectUri,
      resource: discovery.resource,
      fetchFn: context.fetch,
      ...(iss === undefined ? {} : { iss }),
    }),
  );
  return keepTokens(context, tokens, exchange.scopes, undefined);
}

/**
 * Trades a refresh token for new tokens, at the issuer that gave it and nowhere else.
 *
 * @throws OauthError `oauth_denied` where it is not good any more.
 */
export async function refreshTokens(
  context: TokenContext,
  credential: Credential,
  refreshToken: string,
): Promise<OauthTokens> {
  const { server, fetch } = context;
  const { refreshAuthorization } = await import("@modelcontextprotocol/client");
  const metadata = await readAuthorizationServer(server, credential.issuer, fetch);
  const tokens = await translated(server, "refresh of the token", () =>
    refreshAuthorization(credential.issuer, {
      metadata,
      clientInformation: clientInformation(server, credential.client),
      refreshToken,
      resource: credential.resource,
      fetchFn: fetch,
    }),
  );
  return keepTokens(context, tokens, credential.tokens.scopes, refreshToken);
}

/**
 * Asks for tokens of the gateway's own (client credentials grant).
 *
 * @throws OauthError
 */
export async function requestClientToken(
  context: TokenContext,
  discovery: Discovery,
  client: OauthClient,
  scopes: readonly string[],
): Promise<OauthTokens> {
  const { server, fetch } = context;
  const { ClientCredentialsProvider, fetchToken } = await import("@modelcontextprotocol/client");
  if (client.clientSecret === undefined) {
    const place = `servers.${server.id}.oauth`;
    const message = `server "${server.id}": expected ${place}.client_id and client_secret for client_credentials, found one missing`;
    throw new OauthError("oauth_client_missing", message);
  }
  const provider = new ClientCredentialsProvider({
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    expectedIssuer: discovery.issuer,
  });
  const scope = scopeText(scopes);
  const tokens = await translated(server, "token of the gateway's own", () =>
    fetchToken(provider, discovery.issuer, {
      metadata: discovery.metadata,
      resource: discovery.resource,
      fetchFn: fetch,
      ...(scope === undefined ? {} : { scope }),
    }),
  );
  return keepTokens(context, tokens, scopes, undefined);
}

/** Only what can be sent in a header, and only bearer tokens: the gateway proves no possession. */
function keepTokens(
  { server, clock }: TokenContext,
  tokens: WireTokens,
  asked: readonly string[],
  refreshToken: string | undefined,
): OauthTokens {
  const isBearer = tokens.token_type.toLowerCase() === "bearer";
  if (!isBearer || !/^[\x21-\x7e]{1,16384}$/.test(tokens.access_token)) {
    const message = `server "${server.id}": expected a bearer token of printable characters, found another; the gateway cannot use it`;
    throw new OauthError("oauth_token_invalid", message);
  }
  const nowMs = clock.nowMs();
  const { expires_in: lifetime, scope } = tokens;
  const isSaid = lifetime !== undefined && Number.isFinite(lifetime);
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? refreshToken,
    obtainedAtMs: nowMs,
    expiresAtMs: isSaid ? nowMs + Math.max(0, lifetime) * 1000 : undefined,
    scopes: scope === undefined ? asked : scopesIn(scope),
  };
}
