/**
 * The present token of one server in this process: read from the store, renewed under its lock by
 * one process at a time, and adopted from another process that was faster.
 */
import type { Clock } from "../../../contract/ambient.ts";
import type { Challenge } from "./challenge.ts";
import { noChallenge } from "./challenge.ts";
import { grantToGateway } from "./client-credentials.ts";
import { loadCredential, saveCredential, withCredentialLock } from "./credential-store.ts";
import type { Credential } from "./credential.ts";
import { isSameIssuer } from "./discover.ts";
import { OauthError } from "./oauth-error.ts";
import { settingsOf } from "./oauth-server.ts";
import type { OauthServer } from "./oauth-server.ts";
import { refreshTokens } from "./token-requests.ts";
import type { TokenContext } from "./token-requests.ts";

export interface TokenSourceOptions extends TokenContext {
  readonly stateDir: string;
}

export interface TokenSource {
  /** What is there, read again from the disk where the last reading is old. */
  readonly current: () => Promise<Credential | undefined>;
  /** What the last requests were sent with. */
  readonly held: () => Credential | undefined;
  /** What is on the disk now. */
  readonly reload: () => Promise<Credential | undefined>;
  /** Changes the credential under the lock; `change` sees what is on the disk by then. */
  readonly update: (
    change: (stored: Credential | undefined) => Promise<Credential | undefined>,
  ) => Promise<Credential | undefined>;
}

/** A logout or a login elsewhere is seen after this time at the latest. */
const rereadMs = 5_000;

/** Nothing is read before it is asked for. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { stateDir, server, clock } = options;
  let held: Credential | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  const hold = (credential: Credential | undefined): Credential | undefined => {
    held = credential;
    readAtMs = clock.monotonicMs();
    return held;
  };
  const reload = async (): Promise<Credential | undefined> =>
    hold(usable(server, await loadCredential(stateDir, server)));
  return {
    held: () => held,
    reload,
    current: async () => (clock.monotonicMs() - readAtMs < rereadMs ? held : await reload()),
    update: async (change) =>
      await withCredentialLock(stateDir, server, clock, async () => {
        const changed = await change(await reload());
        if (changed !== undefined) await saveCredential(stateDir, changed);
        return hold(changed ?? held);
      }),
  };
}

/** A login for a client or issuer that the operator has replaced since is none. */
function usable(server: OauthServer, credential: Credential | undefined): Credential | undefined {
  if (credential === undefined) return undefined;
  const { clientId, issuer } = settingsOf(server);
  const { client } = credential;
  const isOther = clientId !== undefined && client.clientId !== clientId;
  const isElsewhere = issuer !== undefined && !isSameIssuer(issuer, credential.issuer);
  const isGone = client.kind === "configured" && clientId === undefined;
  return isOther || isElsewhere || isGone ? undefined : credential;
}

/** True where a token has so little time left that a request could come too late with it. */
export function isDue({ tokens }: Credential, clock: Clock): boolean {
  if (tokens.expiresAtMs === undefined) return false;
  const lifetimeMs = tokens.expiresAtMs - tokens.obtainedAtMs;
  return clock.nowMs() >= tokens.expiresAtMs - Math.min(30_000, lifetimeMs / 10);
}

/** True where new tokens can be had without a person. */
export function isRenewable(server: OauthServer, credential: Credential | undefined): boolean {
  if (settingsOf(server).grant === "client_credentials") return true;
  return credential?.tokens.refreshToken !== undefined;
}

/**
 * New tokens in place of those of `stored`; without the refresh token where it was refused. Call it
 * under the lock.
 *
 * @throws OauthError where nothing can be said about the tokens, such as `oauth_unreachable`.
 */
export async function renew(
  context: TokenContext,
  stored: Credential | undefined,
  challenge: Challenge | undefined,
  accumulated: readonly string[],
): Promise<Credential | undefined> {
  const refreshToken = stored?.tokens.refreshToken;
  if (settingsOf(context.server).grant === "client_credentials") {
    const known = challenge ?? knownChallenge(stored);
    return await grantToGateway(context, known, stored, accumulated);
  }
  if (stored === undefined || refreshToken === undefined) return stored;
  try {
    return { ...stored, tokens: await refreshTokens(context, stored, refreshToken) };
  } catch (thrown) {
    if (!(thrown instanceof OauthError) || thrown.code !== "oauth_denied") throw thrown;
    return { ...stored, tokens: { ...stored.tokens, refreshToken: undefined } };
  }
}

function knownChallenge(stored: Credential | undefined): Challenge {
  const url = stored?.resourceMetadataUrl;
  const scopes = stored?.tokens.scopes ?? [];
  return {
    ...noChallenge,
    scopes,
    resourceMetadataUrl: url === undefined ? undefined : new URL(url),
  };
}
