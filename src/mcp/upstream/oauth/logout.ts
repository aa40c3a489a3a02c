/**
 * Ends a login: asks the authorization server to revoke its tokens (RFC 7009) and forgets them. They
 * are forgotten even where the authorization server cannot be asked.
 */
import { clientInformation } from "./client-registration.ts";
import { loadCredential, removeCredentials, withCredentialLock } from "./credential-store.ts";
import type { Credential } from "./credential.ts";
import { readAuthorizationServer } from "./discover.ts";
import { OauthError } from "./oauth-error.ts";
import type { TokenContext } from "./token-requests.ts";

export interface LogoutReport {
  /** False where nobody was logged in. */
  readonly removed: boolean;
  /** `undefined` where there was nothing to revoke. */
  readonly revocation: "done" | "unsupported" | "failed" | undefined;
}

/**
 * Logs out of one server.
 *
 * @throws OauthError `oauth_store_unusable`, where the login could not be removed.
 */
export async function logout(context: TokenContext, stateDir: string): Promise<LogoutReport> {
  const { server, clock } = context;
  return await withCredentialLock(stateDir, server, clock, async () => {
    const known = await loadCredential(stateDir, server).catch(() => undefined);
    const revocation = known === undefined ? undefined : await revoke(context, known);
    return { removed: await removeCredentials(stateDir, server), revocation };
  });
}

async function revoke(
  context: TokenContext,
  credential: Credential,
): Promise<LogoutReport["revocation"]> {
  const { accessToken, refreshToken } = credential.tokens;
  // The refresh token first: with it most servers end the access token too.
  const tokens = [
    ...(refreshToken === undefined ? [] : [["refresh_token", refreshToken] as const]),
    ...(accessToken === undefined ? [] : [["access_token", accessToken] as const]),
  ];
  if (tokens.length === 0) return undefined;
  try {
    const results: boolean[] = [];
    for (const [hint, token] of tokens) {
      const done = await revokeToken(context, credential, hint, token);
      if (done === undefined) return "unsupported";
      results.push(done);
    }
    return results.every(Boolean) ? "done" : "failed";
  } catch (thrown) {
    if (thrown instanceof OauthError) return "failed";
    throw thrown;
  }
}

/** `undefined` where the authorization server takes no revocations. */
async function revokeToken(
  { server, fetch }: TokenContext,
  credential: Credential,
  hint: string,
  token: string,
): Promise<boolean | undefined> {
  const metadata = await readAuthorizationServer(server, credential.issuer, fetch);
  if (!("revocation_endpoint" in metadata)) return undefined;
  const { revocation_endpoint: endpoint, token_endpoint_auth_methods_supported: methods = [] } =
    metadata;
  if (typeof endpoint !== "string") return undefined;
  const { selectClientAuthMethod } = await import("@modelcontextprotocol/client");
  const client = clientInformation(server, credential.client);
  const headers = new Headers({ "content-type": "application/x-www-form-urlencoded" });
  const body = new URLSearchParams({ token, token_type_hint: hint });
  const secret = client.client_secret ?? "";
  if (selectClientAuthMethod(client, methods) === "client_secret_basic") {
    const pair = [client.client_id, secret].map(encodeURIComponent).join(":");
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  } else {
    body.set("client_id", client.client_id);
    if (secret !== "") body.set("client_secret", secret);
  }
  return (await fetch(endpoint, { method: "POST", headers, body })).ok;
}
