/**
 * The grant without a person: finds the authorization server and gets a token of the gateway's own.
 * Keeps nothing.
 */
import type { Challenge } from "./challenge.ts";
import { configuredClient } from "./client-registration.ts";
import type { Credential } from "./credential.ts";
import { discoverAuthorization } from "./discover.ts";
import { OauthError } from "./oauth-error.ts";
import { settingsOf } from "./oauth-server.ts";
import { selectScopes } from "./scopes.ts";
import { requestClientToken } from "./token-requests.ts";
import type { TokenContext } from "./token-requests.ts";

/**
 * A new credential of a server with `grant: "client_credentials"`.
 *
 * @param known the credential before, whose issuer the client secret is bound to.
 * @param accumulated scopes that the new one must have too.
 * @throws OauthError
 */
export async function grantToGateway(
  context: TokenContext,
  challenge: Challenge,
  known: Credential | undefined,
  accumulated: readonly string[],
): Promise<Credential> {
  const { server, fetch } = context;
  const discovery = await discoverAuthorization(server, challenge, fetch);
  const client = configuredClient(server, known, discovery.issuer);
  if (client === undefined) {
    const message = `server "${server.id}": expected servers.${server.id}.oauth.client_id for client_credentials, found none`;
    throw new OauthError("oauth_client_missing", message);
  }
  const scopes = selectScopes({
    settings: settingsOf(server),
    challenge,
    ofResource: discovery.resourceScopes,
    ofAuthorizationServer: discovery.metadata.scopes_supported ?? [],
    accumulated,
  });
  return {
    server: server.id,
    url: server.url,
    issuer: discovery.issuer,
    resource: discovery.resource,
    resourceMetadataUrl: challenge.resourceMetadataUrl?.href,
    client,
    tokens: await requestClientToken(context, discovery, client, scopes),
    wantedScopes: [],
  };
}
