/**
 * Under which client id the gateway appears at an authorization server: the operator's, else its
 * client ID metadata document where the server reads such, else one that is registered dynamically
 * (RFC 7591). A registration belongs to the issuer that gave it and is used nowhere else.
 */
import type { OAuthClientInformationMixed } from "@modelcontextprotocol/client";
import { gatewayName } from "../../../contract/version.ts";
import type { Credential, OauthClient } from "./credential.ts";
import type { Discovery } from "./discover.ts";
import { isSameIssuer } from "./discover.ts";
import type { OauthFetch } from "./guarded-fetch.ts";
import { OauthError } from "./oauth-error.ts";
import { settingsOf } from "./oauth-server.ts";
import type { OauthServer } from "./oauth-server.ts";
import { scopeText } from "./scopes.ts";
import { translated } from "./translate-error.ts";

export interface ClientRequest {
  readonly server: OauthServer;
  readonly discovery: Discovery;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** The last login, of whatever issuer. */
  readonly known: Credential | undefined;
  readonly fetch: OauthFetch;
}

/**
 * The client for one authorization request.
 *
 * @throws OauthError `oauth_client_missing` where the server knows no way to get one.
 */
export async function obtainClient(wanted: ClientRequest): Promise<OauthClient> {
  const { server, discovery, redirectUri, known } = wanted;
  const settings = settingsOf(server);
  const configured = configuredClient(server, known, discovery.issuer);
  if (configured !== undefined) return { ...configured, redirectUri };
  const takesDocuments = discovery.metadata.client_id_metadata_document_supported === true;
  if (settings.clientMetadataUrl !== undefined && takesDocuments) {
    return {
      kind: "metadata_document",
      clientId: settings.clientMetadataUrl,
      clientSecret: undefined,
      authMethod: undefined,
      redirectUri,
    };
  }
  return reusable(wanted) ?? (await register(wanted));
}

/**
 * The operator's client; `undefined` where there is none. Its secret goes to the issuer that is
 * named beside it, else to the one that got it first.
 *
 * @throws OauthError `oauth_issuer_mismatch`.
 */
export function configuredClient(
  server: OauthServer,
  known: Credential | undefined,
  issuer: string,
): OauthClient | undefined {
  const { clientId, clientSecret, issuer: named } = settingsOf(server);
  if (clientId === undefined) return undefined;
  const bound = known?.client.kind === "configured" ? known.issuer : undefined;
  const isNew = named === undefined && bound !== undefined && !isSameIssuer(bound, issuer);
  if (clientSecret !== undefined && isNew) {
    const message = `server "${server.id}": expected the issuer ${bound}, which got client_secret before, found another; if that is right, name it in servers.${server.id}.oauth.issuer`;
    throw new OauthError("oauth_issuer_mismatch", message);
  }
  return {
    kind: "configured",
    clientId,
    clientSecret,
    authMethod: undefined,
    redirectUri: undefined,
  };
}

/** A client in the form that the SDK's token functions take. */
export function clientInformation(
  server: OauthServer,
  client: OauthClient,
): OAuthClientInformationMixed {
  const { clientSecret } = client.kind === "configured" ? settingsOf(server) : client;
  return {
    client_id: client.clientId,
    redirect_uris: client.redirectUri === undefined ? [] : [client.redirectUri],
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    ...(client.authMethod === undefined ? {} : { token_endpoint_auth_method: client.authMethod }),
  };
}

function reusable({ known, discovery, redirectUri }: ClientRequest): OauthClient | undefined {
  if (known?.client.kind !== "registered" || known.issuer !== discovery.issuer) return undefined;
  return known.client.redirectUri === redirectUri ? known.client : undefined;
}

async function register(wanted: ClientRequest): Promise<OauthClient> {
  const { server, discovery, redirectUri, scopes, fetch } = wanted;
  const { issuer, metadata } = discovery;
  if (metadata.registration_endpoint === undefined) {
    const message = `server "${server.id}": its authorization server registers no clients by itself; set servers.${server.id}.oauth.client_id to one that was registered there`;
    throw new OauthError("oauth_client_missing", message);
  }
  const { registerClient } = await import("@modelcontextprotocol/client");
  const method = preferredMethod(metadata.token_endpoint_auth_methods_supported ?? ["none"]);
  const scope = scopeText(scopes);
  const registered = await translated(server, "client registration", () =>
    registerClient(issuer, {
      metadata,
      fetchFn: fetch,
      clientMetadata: {
        client_name: gatewayName,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        application_type: "native",
        ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
      },
      ...(scope === undefined ? {} : { scope }),
    }),
  );
  return {
    kind: "registered",
    clientId: registered.client_id,
    clientSecret: registered.client_secret,
    authMethod: registered.token_endpoint_auth_method,
    redirectUri,
  };
}

/** A program on somebody's machine keeps no secret better than PKCE does. */
function preferredMethod(supported: readonly string[]): string | undefined {
  return ["none", "client_secret_basic", "client_secret_post"].find((method) =>
    supported.includes(method),
  );
}
