/**
 * From the errors of the SDK's OAuth functions to ours. Theirs quote what an authorization server
 * wrote, and a hostile or careless one echoes secrets; ours keep of it at most a registered error
 * code.
 */
import { OauthError } from "./oauth-error.ts";
import { loginCommandOf } from "./oauth-server.ts";
import type { OauthServer } from "./oauth-server.ts";

const registeredCodes = [
  "access_denied",
  "consent_required",
  "interaction_required",
  "invalid_client",
  "invalid_client_metadata",
  "invalid_grant",
  "invalid_redirect_uri",
  "invalid_request",
  "invalid_scope",
  "invalid_target",
  "login_required",
  "server_error",
  "temporarily_unavailable",
  "unauthorized_client",
  "unsupported_grant_type",
  "unsupported_response_type",
];

/** The error code that an authorization server answered, where it is a registered one. */
export function registeredCode(code: string | null | undefined): string {
  return registeredCodes.find((known) => known === code) ?? "an error of its own";
}

/**
 * Runs a step of the SDK.
 *
 * @throws OauthError and nothing else; `step` says what was being done.
 */
export async function translated<Value>(
  server: OauthServer,
  step: string,
  run: () => Promise<Value>,
): Promise<Value> {
  try {
    return await run();
  } catch (thrown) {
    throw await translate(server, step, thrown);
  }
}

async function translate(server: OauthServer, step: string, thrown: unknown): Promise<OauthError> {
  if (thrown instanceof OauthError) return thrown;
  const sdk = await import("@modelcontextprotocol/client");
  const where = `server "${server.id}": ${step}`;
  if (thrown instanceof sdk.IssuerMismatchError) {
    const found = thrown.received === undefined ? "none" : "another";
    const message = `${where}: expected the issuer ${JSON.stringify(thrown.expected)}, found ${found}; nothing was sent to it`;
    return new OauthError("oauth_issuer_mismatch", message);
  }
  if (thrown instanceof sdk.RegistrationRejectedError) {
    const message = `${where}: the authorization server refused with HTTP ${thrown.status}; set servers.${server.id}.oauth.client_id`;
    return new OauthError("oauth_client_missing", message);
  }
  if (thrown instanceof sdk.OAuthError) {
    const message = `${where}: the authorization server answered ${registeredCode(thrown.code)}; run: ${loginCommandOf(server)}`;
    return new OauthError("oauth_denied", message);
  }
  const message = `${where}: expected an answer as the specification has it, found another`;
  return new OauthError("oauth_metadata_invalid", message);
}
