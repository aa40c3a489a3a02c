/**
 * One login of a person at the authorization server of an upstream server: authorization code with
 * PKCE, through the person's browser and a listener on this machine. With `client_credentials`
 * nobody is asked. The tokens end in the store, bound to the issuer that gave them.
 */
import { randomBytes } from "node:crypto";
import { listenForCallback } from "./callback-listener.ts";
import type { CallbackAnswer, CallbackListener } from "./callback-listener.ts";
import { grantToGateway } from "./client-credentials.ts";
import { clientInformation, obtainClient } from "./client-registration.ts";
import { loadCredential, saveCredential, withCredentialLock } from "./credential-store.ts";
import type { Credential, OauthClient } from "./credential.ts";
import type { Challenge } from "./challenge.ts";
import { discoverAuthorization } from "./discover.ts";
import type { Discovery } from "./discover.ts";
import { checkSafeUrl } from "./guarded-fetch.ts";
import { OauthError } from "./oauth-error.ts";
import { settingsOf } from "./oauth-server.ts";
import { probeChallenge } from "./probe-challenge.ts";
import { scopeText, selectScopes, unionOf } from "./scopes.ts";
import { exchangeCode } from "./token-requests.ts";
import type { TokenContext } from "./token-requests.ts";
import { registeredCode, translated } from "./translate-error.ts";

export interface LoginOptions extends TokenContext {
  readonly stateDir: string;
  /** Shows the person where to go; not called with `client_credentials`. */
  readonly showUrl: (url: URL) => void;
  readonly timeoutMs: number;
}

/**
 * Logs in and keeps what came of it.
 *
 * @throws OauthError
 */
export async function login(options: LoginOptions): Promise<Credential> {
  const { server, stateDir, clock, fetch } = options;
  const known = await loadCredential(stateDir, server);
  const challenge = await probeChallenge(server, fetch);
  const credential =
    settingsOf(server).grant === "client_credentials"
      ? await grantToGateway(options, challenge, known, accumulatedOf(known))
      : await authorize(options, challenge, known);
  await withCredentialLock(stateDir, server, clock, () => saveCredential(stateDir, credential));
  return credential;
}

/** Nothing is lost where the server wants more; where it does not, a login may also narrow. */
function accumulatedOf(known: Credential | undefined): readonly string[] {
  if (known === undefined || known.wantedScopes.length === 0) return [];
  return unionOf(known.tokens.scopes, known.wantedScopes);
}

async function authorize(
  options: LoginOptions,
  challenge: Challenge,
  known: Credential | undefined,
): Promise<Credential> {
  const { server, fetch } = options;
  const discovery = await discoverAuthorization(server, challenge, fetch);
  checkPkce(options, discovery);
  const scopes = selectScopes({
    settings: settingsOf(server),
    challenge,
    ofResource: discovery.resourceScopes,
    ofAuthorizationServer: discovery.metadata.scopes_supported ?? [],
    accumulated: known?.issuer === discovery.issuer ? accumulatedOf(known) : [],
  });
  const state = randomBytes(32).toString("base64url");
  const preferredPort = portOf(known);
  const listener = await listenForCallback({ ...options, state, preferredPort });
  try {
    const { redirectUri } = listener;
    const client = await obtainClient({ server, discovery, redirectUri, scopes, known, fetch });
    const tokens = await askPerson(options, { discovery, client, scopes, state, listener });
    return {
      server: server.id,
      url: server.url,
      issuer: discovery.issuer,
      resource: discovery.resource,
      resourceMetadataUrl: challenge.resourceMetadataUrl?.href,
      client,
      tokens,
      wantedScopes: [],
    };
  } finally {
    await listener.close();
  }
}

/** The port of a registered redirect URI, so that the registration stays good. */
function portOf(known: Credential | undefined): number | undefined {
  const uri = known?.client.kind === "registered" ? known.client.redirectUri : undefined;
  return uri === undefined ? undefined : Number(new URL(uri).port);
}

function checkPkce({ server }: LoginOptions, { issuer, metadata }: Discovery): void {
  if (metadata.code_challenge_methods_supported?.includes("S256") === true) return;
  const message = `server "${server.id}": expected ${new URL(issuer).host} to support PKCE with S256, found that it does not say so; a code could be stolen`;
  throw new OauthError("oauth_pkce_unsupported", message);
}

interface Request {
  readonly discovery: Discovery;
  readonly client: OauthClient;
  readonly scopes: readonly string[];
  readonly state: string;
  readonly listener: CallbackListener;
}

async function askPerson(
  options: LoginOptions,
  { discovery, client, scopes, state, listener }: Request,
): Promise<Credential["tokens"]> {
  const { server } = options;
  const { redirectUri } = listener;
  const { startAuthorization } = await import("@modelcontextprotocol/client");
  const scope = scopeText(scopes);
  const started = await translated(server, "authorization request", () =>
    startAuthorization(discovery.issuer, {
      metadata: discovery.metadata,
      clientInformation: clientInformation(server, client),
      redirectUrl: redirectUri,
      state,
      resource: discovery.resource,
      ...(scope === undefined ? {} : { scope }),
    }),
  );
  checkSafeUrl(server, started.authorizationUrl, "authorization_endpoint");
  options.showUrl(started.authorizationUrl);
  const { code, iss } = await accepted(options, discovery, await listener.waitForAnswer());
  const { codeVerifier } = started;
  return await exchangeCode(options, {
    discovery,
    client,
    code,
    iss,
    codeVerifier,
    redirectUri,
    scopes,
  });
}

/** Judges who answered before what was answered: errors of a stranger are not repeated. */
async function accepted(
  { server }: LoginOptions,
  { metadata }: Discovery,
  { code, error, iss }: CallbackAnswer,
): Promise<{ readonly code: string; readonly iss: string | undefined }> {
  const { validateAuthorizationResponseIssuer } = await import("@modelcontextprotocol/client");
  await translated(server, "answer to the login", async () =>
    validateAuthorizationResponseIssuer({
      iss,
      expectedIssuer: metadata.issuer,
      issParameterSupported: metadata.authorization_response_iss_parameter_supported === true,
    }),
  );
  if (code !== undefined && error === undefined) return { code, iss };
  const message = `server "${server.id}": the authorization server answered ${registeredCode(error)} to the login`;
  throw new OauthError("oauth_denied", message);
}
