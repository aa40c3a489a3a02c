/**
 * One request to a registry, with everything that may happen on the way: a challenge for
 * credentials, a redirect, a hiccup that is worth a repetition. Redirects are followed by hand:
 * reading only, a few, never down to plain HTTP, never into the inner network, and never with
 * credentials to another origin.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { request } from "undici";
import { codeOf } from "../../errors.ts";
import { BundleError, unexpected } from "../bundle-error.ts";
import { isLoopbackHost } from "./loopback-host.ts";
import { isWithinReach, outOfReach, redirectReach } from "./network-guard.ts";
import { readLimited } from "./registry-body.ts";
import { isTransient, retryAfterMs, unreachable } from "./registry-failure.ts";
import type { RegistryAnswer, RegistryRequest, RegistrySession } from "./registry-session.ts";

const maxRedirects = 5;
const maxAttempts = 3;
const maxRetryAfterMs = 5000;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and reads the answer, whatever its status; repeats it a few times where the
 * registry is busy, and where reading was interrupted.
 *
 * @throws BundleError `bundle_unreachable`, `bundle_redirect_refused`, `bundle_too_large`,
 *   `bundle_protocol_invalid`
 */
export async function exchange(
  session: RegistrySession,
  wanted: RegistryRequest,
): Promise<RegistryAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await attemptOnce(session, wanted);
    const pauseMs = pauseBefore(session, wanted, result, attempt);
    if (pauseMs === undefined) {
      if ("answer" in result) return result.answer;
      throw unreachable(session, result.problem);
    }
    await pause(session, pauseMs);
  }
}

type Attempt = { readonly answer: RegistryAnswer } | { readonly problem: unknown };

async function attemptOnce(session: RegistrySession, wanted: RegistryRequest): Promise<Attempt> {
  try {
    return { answer: await followRedirects(session, wanted) };
  } catch (thrown) {
    const isNetwork = codeOf(thrown) !== undefined || session.signal.aborted;
    if (thrown instanceof BundleError || !isNetwork) throw thrown;
    return { problem: thrown };
  }
}

/** How long to wait before the next attempt; `undefined` where there is none. */
function pauseBefore(
  session: RegistrySession,
  { method }: RegistryRequest,
  result: Attempt,
  attempt: number,
): number | undefined {
  if (attempt >= maxAttempts || session.signal.aborted) return undefined;
  const backoffMs = session.retryDelayMs * 2 ** (attempt - 1) * (0.9 + Math.random() * 0.2);
  if ("problem" in result) {
    const isReading = method === "GET" || method === "HEAD";
    return isReading && isTransient(result.problem) ? backoffMs : undefined;
  }
  const { status, header } = result.answer;
  if (status !== 429 && status !== 502 && status !== 503 && status !== 504) return undefined;
  const askedMs = retryAfterMs(header("retry-after"), session.clock.nowMs());
  if (askedMs === undefined) return backoffMs;
  return askedMs <= maxRetryAfterMs ? askedMs : undefined;
}

async function pause(session: RegistrySession, pauseMs: number): Promise<void> {
  try {
    await sleep(pauseMs, undefined, { signal: session.signal });
  } catch (thrown) {
    throw unreachable(session, thrown);
  }
}

async function followRedirects(
  session: RegistrySession,
  wanted: RegistryRequest,
): Promise<RegistryAnswer> {
  let url = wanted.url;
  for (let hops = 0; ; hops += 1) {
    const answer = await sendAuthorized(session, { ...wanted, url });
    if (!redirectStatuses.has(answer.status)) return answer;
    if (hops >= maxRedirects) throw refused(session, `at most ${maxRedirects} redirects`, "more");
    url = redirectTarget(session, wanted, url, answer.header("location"));
  }
}

/** Answers a challenge of the registry itself, once; challenges from elsewhere are not heard. */
async function sendAuthorized(
  session: RegistrySession,
  wanted: RegistryRequest,
): Promise<RegistryAnswer> {
  if (wanted.url.origin !== session.origin) return await send(session, wanted, undefined);
  const known = session.auth.headerFor(wanted.method);
  const answer = await send(session, wanted, known);
  if (answer.status !== 401) return answer;
  const challenge = answer.header("www-authenticate");
  const header = await session.auth.answerTo(challenge, wanted.method, known);
  if (header === undefined) return answer;
  const second = await send(session, wanted, header);
  if (second.status === 401) session.auth.forget(header);
  return second;
}

async function send(
  session: RegistrySession,
  wanted: RegistryRequest,
  authorization: string | undefined,
): Promise<RegistryAnswer> {
  if (authorization !== undefined) session.hasSignedIn = true;
  const { waitMs } = wanted;
  const response = await request(wanted.url, {
    method: wanted.method,
    dispatcher: dispatcherFor(session, wanted.url),
    signal: session.signal,
    headers: {
      ...wanted.headers,
      "accept-encoding": "identity",
      "user-agent": "mcp-gateway",
      ...(authorization === undefined ? {} : { authorization }),
    },
    ...(wanted.body === undefined ? {} : { body: wanted.body }),
    // Without this every HEAD would cost a connection of its own.
    ...(wanted.method === "HEAD" ? { reset: false } : {}),
    ...(waitMs === undefined ? {} : { headersTimeout: waitMs + session.stepTimeoutMs }),
  });
  const header = headerReader(response.headers);
  const { maxBytes } = wanted;
  const body = await readLimited(session.where, response, response.headers, maxBytes);
  return { status: response.statusCode, header, body };
}

/** The client certificate is in the connections to the registry itself alone. */
function dispatcherFor(session: RegistrySession, { origin, host }: URL): Dispatcher {
  if (origin === session.origin) return session.direct;
  return session.redirectHosts.includes(host) ? session.named : session.elsewhere;
}

function headerReader(
  headers: Dispatcher.ResponseData["headers"],
): (name: string) => string | undefined {
  return (name) => {
    const value = headers[name];
    return typeof value === "string" ? value : value?.[0];
  };
}

function redirectTarget(
  session: RegistrySession,
  { method }: RegistryRequest,
  from: URL,
  location: string | undefined,
): URL {
  if (method !== "GET" && method !== "HEAD") {
    throw refused(session, `no redirect of a ${method} request`, "one");
  }
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw refused(session, "a redirect with a location", "none that can be read");
  }
  const target = new URL(location, from);
  if (target.origin === session.origin) return target;
  checkRedirect(session, target);
  return target;
}

/** A host that the operator named may be anywhere; any other has to be public, and on https. */
function checkRedirect(session: RegistrySession, target: URL): void {
  const isNamed = session.redirectHosts.includes(target.host);
  const mayBePlain = isNamed
    ? session.origin.startsWith("http:")
    : session.isLoopback && isLoopbackHost(target.host);
  if (target.protocol !== "https:" && !(target.protocol === "http:" && mayBePlain)) {
    throw refused(session, "a redirect to https", `one to ${cut(target.protocol)}`);
  }
  if (target.username !== "" || target.password !== "") {
    throw refused(session, "a redirect without credentials", "a location that has some");
  }
  if (isNamed) return;
  if (session.redirectHosts.length > 0) {
    const expected = `a redirect to a host of registries["${session.host}"].redirect_hosts`;
    throw refused(session, expected, `one to ${cut(target.host)}`);
  }
  const reach = redirectReach(session.isLoopback);
  if (!isWithinReach(target.host, reach)) throw outOfReach(target.host, reach);
}

/** No host or protocol that means anything is longer. */
function cut(text: string): string {
  return text.slice(0, 260);
}

function refused(session: RegistrySession, expected: string, found: string): BundleError {
  return unexpected("bundle_redirect_refused", session.where, expected, found);
}
