/**
 * Authorizes the requests to one upstream server with the gateway's own tokens, never with those of
 * a client. Uses what `server login` left, refreshes it, gets tokens of its own where the grant
 * allows that, and otherwise says once a minute which login is missing. A server that wants more
 * scopes gets them at most twice in ten minutes, and never beyond those that the operator listed.
 */
import type { Log } from "../../../contract/ambient.ts";
import { codeOf, messageOf } from "../../../errors.ts";
import type { HttpAuthorizer, HttpChallenge } from "../http/http-authorizer.ts";
import { readChallenge } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential } from "./credential.ts";
import { checkSafeUrl, createGuardedFetch } from "./guarded-fetch.ts";
import { loginCommandOf, settingsOf } from "./oauth-server.ts";
import { goesBeyond, unionOf } from "./scopes.ts";
import { createTokenSource, isDue, isRenewable, renew } from "./token-source.ts";
import type { TokenSource, TokenSourceOptions } from "./token-source.ts";

/** Without a `fetch`: only the guarded one may go where a server's metadata points. */
export interface UpstreamAuthorizerOptions extends Omit<TokenSourceOptions, "fetch"> {
  readonly log: Log;
}

interface Authorizer extends TokenSourceOptions {
  readonly log: Log;
  readonly source: TokenSource;
  /** Monotonic times. */
  readonly times: { changedMs: number; failedMs: number; stepUpsMs: number[] };
  /** When each thing was last told, by what it says. */
  readonly told: Map<string, number>;
}

/** A token that is as new as this was refused before it came. */
const justChangedMs = 5_000;
/** After a failure nobody is asked again for this long. */
const backoffMs = 10_000;
const tellAgainMs = 60_000;
const stepUpWindowMs = 600_000;
const maxStepUps = 2;
const longAgo = Number.NEGATIVE_INFINITY;

/** The authorizer of one server; touches neither disk nor network before the first request. */
export function createUpstreamAuthorizer(options: UpstreamAuthorizerOptions): HttpAuthorizer {
  const context = { ...options, fetch: createGuardedFetch(options.server) };
  const authorizer: Authorizer = {
    ...context,
    source: createTokenSource(context),
    times: { changedMs: longAgo, failedMs: longAgo, stepUpsMs: [] },
    told: new Map(),
  };
  let turn: Promise<unknown> = Promise.resolve();
  /** One at a time, so that a hundred refused requests make one new token. */
  const inTurn = async <Value>(run: () => Promise<Value>): Promise<Value> => {
    const mine = turn.then(run);
    turn = mine;
    return await mine;
  };
  return {
    headers: async () => {
      const credential = await inTurn(() => guarded(authorizer, () => present(authorizer)));
      const token = credential?.tokens.accessToken;
      return token === undefined ? {} : { authorization: `Bearer ${token}` };
    },
    onUnauthorized: async (challenge) => {
      const recovered = await inTurn(() =>
        guarded(authorizer, () => recover(authorizer, challenge)),
      );
      return recovered ?? "give_up";
    },
  };
}

/** The credential for the next request. An expired token is sent rather than none: no request of
 * somebody known becomes one of nobody. */
async function present(authorizer: Authorizer): Promise<Credential | undefined> {
  const { server, source, clock } = authorizer;
  const credential = await source.current();
  if (credential === undefined) return undefined;
  checkSafeUrl(server, new URL(server.url), `servers.${server.id}.url`);
  if (!isDue(credential, clock)) return credential;
  if (!isRenewable(server, credential) || isBackingOff(authorizer)) return credential;
  const renewed = await guarded(authorizer, () => replace(authorizer, credential, undefined, []));
  return renewed ?? credential;
}

async function recover(
  authorizer: Authorizer,
  { status, wwwAuthenticate }: HttpChallenge,
): Promise<"retry" | "give_up"> {
  const { server, source, clock, times } = authorizer;
  const before = source.held();
  const now = await source.reload();
  if (now !== undefined && isOther(now, before)) return adopted(authorizer);
  const challenge = readChallenge(server, wwwAuthenticate);
  if (status === 403) return await stepUp(authorizer, now, challenge);
  if (clock.monotonicMs() - times.changedMs < justChangedMs) return "retry";
  if (!isRenewable(server, now)) return needsLogin(authorizer);
  if (isBackingOff(authorizer)) return "give_up";
  const renewed = await replace(authorizer, now, challenge, []);
  return renewed !== undefined && isOther(renewed, now) ? "retry" : needsLogin(authorizer);
}

/** RFC 6750 `insufficient_scope`; any other 403 is not about tokens. */
async function stepUp(
  authorizer: Authorizer,
  now: Credential | undefined,
  challenge: Challenge,
): Promise<"retry" | "give_up"> {
  const { server, source, times, clock } = authorizer;
  if (challenge.error !== "insufficient_scope" || now === undefined) return "give_up";
  const wanted = unionOf(now.tokens.scopes, now.wantedScopes, challenge.scopes);
  if (settingsOf(server).grant === "authorization_code") {
    if (goesBeyond(wanted, unionOf(now.tokens.scopes, now.wantedScopes))) {
      await source.update(async (stored) => stored && { ...stored, wantedScopes: wanted });
    }
    return needsLogin(authorizer);
  }
  const { scopes } = settingsOf(server);
  const isNew = goesBeyond(wanted, now.tokens.scopes);
  if (!isNew || (scopes.length > 0 && goesBeyond(wanted, scopes))) {
    const key = `servers.${server.id}.oauth.scopes`;
    tell(authorizer, { key }, "server wants scopes that its token cannot have");
    return "give_up";
  }
  const nowMs = clock.monotonicMs();
  times.stepUpsMs = times.stepUpsMs.filter((atMs) => nowMs - atMs < stepUpWindowMs);
  if (times.stepUpsMs.length >= maxStepUps || isBackingOff(authorizer)) return "give_up";
  times.stepUpsMs.push(nowMs);
  const renewed = await replace(authorizer, now, challenge, wanted);
  return renewed !== undefined && isOther(renewed, now) ? "retry" : "give_up";
}

/** New tokens, unless another process has put some there meanwhile. */
async function replace(
  authorizer: Authorizer,
  seen: Credential | undefined,
  challenge: Challenge | undefined,
  accumulated: readonly string[],
): Promise<Credential | undefined> {
  const replaced = await authorizer.source.update(async (stored) => {
    if (stored !== undefined && isOther(stored, seen)) return undefined;
    return await renew(authorizer, stored, challenge, accumulated);
  });
  if (replaced !== undefined && isOther(replaced, seen)) adopted(authorizer);
  return replaced;
}

function isOther(one: Credential, other: Credential | undefined): boolean {
  return one.tokens.accessToken !== other?.tokens.accessToken;
}

function adopted({ times, clock }: Authorizer): "retry" {
  times.changedMs = clock.monotonicMs();
  return "retry";
}

function isBackingOff({ times, clock }: Authorizer): boolean {
  return clock.monotonicMs() - times.failedMs < backoffMs;
}

function needsLogin(authorizer: Authorizer): "give_up" {
  tell(authorizer, { run: loginCommandOf(authorizer.server) }, "server wants a login");
  return "give_up";
}

/** Says the same once a minute, however many requests there are. */
function tell(authorizer: Authorizer, details: object, message: string): void {
  const { log, server, told, clock } = authorizer;
  const nowMs = clock.monotonicMs();
  const key = `${message} ${JSON.stringify(details)}`;
  if (nowMs - (told.get(key) ?? longAgo) < tellAgainMs) return;
  for (const [each, atMs] of told) if (nowMs - atMs >= tellAgainMs) told.delete(each);
  told.set(key, nowMs);
  log.warn({ server: server.id, ...details }, message);
}

/** A failure is logged and remembered; requests go on without what it would have brought. */
async function guarded<Value>(
  authorizer: Authorizer,
  run: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await run();
  } catch (thrown) {
    authorizer.times.failedMs = authorizer.clock.monotonicMs();
    const details = { code: codeOf(thrown), problem: messageOf(thrown) };
    tell(authorizer, details, "cannot authorize at an upstream server");
    return undefined;
  }
}
