/**
 * What is kept of a server's login, for people: nothing in it is a secret.
 */
import type { Clock } from "../../../contract/ambient.ts";
import { loadCredential } from "./credential-store.ts";
import type { Credential } from "./credential.ts";
import { OauthError } from "./oauth-error.ts";
import type { OauthServer } from "./oauth-server.ts";
import { goesBeyond } from "./scopes.ts";

export type LoginState =
  /** Nothing is kept. */
  | "none"
  | "logged_in"
  /** The token is past its time and nothing renews it. */
  | "expired"
  /** The server refused the tokens, or has asked for scopes that they do not have. */
  | "needs_login"
  /** What is kept cannot be used; `server login` says why. */
  | "unusable";

/** The state of one server; asks nobody. */
export async function readLoginState(
  stateDir: string,
  server: OauthServer,
  clock: Clock,
): Promise<LoginState> {
  try {
    const credential = await loadCredential(stateDir, server);
    return credential === undefined ? "none" : stateOf(credential, clock);
  } catch (thrown) {
    if (thrown instanceof OauthError) return "unusable";
    throw thrown;
  }
}

function stateOf({ tokens, wantedScopes }: Credential, clock: Clock): LoginState {
  if (tokens.accessToken === undefined || goesBeyond(wantedScopes, tokens.scopes)) {
    return "needs_login";
  }
  const { expiresAtMs, refreshToken } = tokens;
  const isPast = expiresAtMs !== undefined && expiresAtMs <= clock.nowMs();
  return isPast && refreshToken === undefined ? "expired" : "logged_in";
}
