/**
 * The only way in which the OAuth client speaks to the network. URLs come from metadata that a
 * hostile server may have written, so: https, or http on this machine; only addresses in reach; no
 * redirect to another origin; at most 1 MiB and ten seconds. Connections are not kept.
 */
import { lookup } from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { codeOf } from "../../../errors.ts";
import { describeTlsFailure, readAuthority } from "../authority.ts";
import { bareHost, createAddressReach, isLoopbackHost } from "./address-reach.ts";
import type { AddressReach } from "./address-reach.ts";
import { OauthError } from "./oauth-error.ts";
import { settingsOf } from "./oauth-server.ts";
import type { OauthServer } from "./oauth-server.ts";

/** The part of `fetch` that the SDK's OAuth functions use. */
export type OauthFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface FetchLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Resolves the names of hosts. */
  readonly lookup: (
    host: string,
    options: LookupOptions & { readonly all: true },
    done: (error: Error | null, addresses: LookupAddress[]) => void,
  ) => void;
}

export const standardLimits: FetchLimits = { maxBytes: 1_048_576, timeoutMs: 10_000, lookup };

/** A `fetch` for one server; it throws `OauthError` and follows no redirect by itself. */
export function createGuardedFetch(
  server: OauthServer,
  limits: FetchLimits = standardLimits,
): OauthFetch {
  const reach = createAddressReach(namedUrls(server));
  return async (target, init = {}) => {
    const url = new URL(target);
    checkUrl(server, url, reach);
    try {
      return await send(server, url, init, reach, limits);
    } catch (thrown) {
      throw refusalIn(thrown) ?? unreachable(server, url, thrown);
    }
  };
}

/**
 * Refuses a URL that no request and no person may be sent to: schemes that run something, plain
 * http over a network, and this machine where the operator named nothing on it.
 *
 * @throws OauthError `oauth_url_refused`.
 */
export function checkSafeUrl(server: OauthServer, url: URL, what: string): void {
  const isLoopback = isLoopbackHost(bareHost(url));
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback)) {
    throw refused(server, `expected ${what} to be an https:// URL, or http:// on this machine`);
  }
  if (isLoopback && !namedUrls(server).some((named) => isLoopbackHost(bareHost(new URL(named))))) {
    throw outOfReach(server, bareHost(url));
  }
  if (url.username !== "" || url.password !== "") {
    throw refused(server, `expected ${what} to have no credentials in it`);
  }
}

/** What the operator named: these hosts may be anywhere. */
function namedUrls(server: OauthServer): readonly string[] {
  const { issuer } = settingsOf(server);
  return issuer === undefined ? [server.url] : [server.url, issuer];
}

function checkUrl(server: OauthServer, url: URL, reach: AddressReach): void {
  checkSafeUrl(server, url, "every URL of its authorization");
  const host = bareHost(url);
  if (isIP(host) !== 0 && !reach(host, host)) throw outOfReach(server, host);
}

async function send(
  server: OauthServer,
  url: URL,
  init: RequestInit,
  reach: AddressReach,
  limits: FetchLimits,
): Promise<Response> {
  const { Agent, request } = await import("undici");
  const lookup = guardedLookup(server, reach, limits);
  const dispatcher = new Agent({
    pipelining: 0,
    connect: { lookup, timeout: limits.timeoutMs, ...authoritiesOf(server, url) },
  });
  const answer = await request(url, {
    dispatcher,
    method: init.method === "POST" ? "POST" : "GET",
    headers: Object.fromEntries(new Headers(init.headers)),
    body: textOf(init.body),
    signal: AbortSignal.timeout(limits.timeoutMs),
  });
  const headers = headersOf(answer.headers);
  checkRedirect(server, url, answer.statusCode, headers.get("location"));
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  // What a stream says nobody reads here: only an answer without one is of interest.
  if (isStream) answer.body.on("error", () => {}).destroy();
  const bytes = isStream ? undefined : await readBody(server, url, answer.body, limits.maxBytes);
  const bodyless = answer.statusCode === 204 || answer.statusCode === 304;
  return new Response(bodyless ? null : bytes, { status: answer.statusCode, headers });
}

/** The server's own authority stands alone for it; an issuer elsewhere may have a public one. */
function authoritiesOf(server: OauthServer, url: URL): { readonly ca?: string[] } {
  const authority = readAuthority(server.caFile);
  if (!authority.ok) {
    const message = `server "${server.id}": servers.${server.id}.${authority.reason}`;
    throw new OauthError("oauth_unreachable", message);
  }
  const { ca } = authority;
  if (ca === undefined) return {};
  return { ca: new URL(server.url).host === url.host ? [ca] : [...rootCertificates, ca] };
}

function textOf(body: RequestInit["body"]): string | null {
  if (typeof body === "string") return body;
  return body instanceof URLSearchParams ? body.toString() : null;
}

function headersOf(received: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const each of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, each);
  }
  return headers;
}

function checkRedirect(
  server: OauthServer,
  url: URL,
  status: number,
  location: string | null,
): void {
  if (status < 300 || status > 399 || location === null) return;
  if (URL.canParse(location, url.href) && new URL(location, url).origin === url.origin) return;
  throw refused(server, `${url.host} redirects to another origin, which is not followed`);
}

async function readBody(
  server: OauthServer,
  url: URL,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      const message = `server "${server.id}": expected at most ${maxBytes} bytes from ${url.host}, found more`;
      throw new OauthError("oauth_response_too_large", message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A resolver for connections that refuses names whose addresses are out of reach. */
function guardedLookup(server: OauthServer, reach: AddressReach, limits: FetchLimits) {
  return (
    name: string,
    options: LookupOptions,
    done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    limits.lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, "");
      if (addresses.some(({ address }) => !reach(name, address))) {
        return done(outOfReach(server, name), "");
      }
      const [first] = addresses;
      if (options.all === true) return done(null, addresses);
      return done(null, first?.address ?? "", first?.family ?? 4);
    });
  };
}

function refusalIn(thrown: unknown): OauthError | undefined {
  if (thrown instanceof OauthError) return thrown;
  if (thrown instanceof AggregateError) {
    return thrown.errors.map(refusalIn).find((found) => found !== undefined);
  }
  return thrown instanceof Error && thrown.cause !== undefined
    ? refusalIn(thrown.cause)
    : undefined;
}

function outOfReach(server: OauthServer, host: string): OauthError {
  const remedy = `where it is right, name its issuer in servers.${server.id}.oauth.issuer`;
  return refused(server, `${host} is inside a network that is not the server's own; ${remedy}`);
}

function refused(server: OauthServer, message: string): OauthError {
  return new OauthError("oauth_url_refused", `server "${server.id}": ${message}`);
}

function unreachable(server: OauthServer, url: URL, thrown: unknown): OauthError {
  const isTimeout = thrown instanceof Error && thrown.name === "TimeoutError";
  const reason = isTimeout
    ? "it did not answer in time"
    : (describeTlsFailure(thrown) ?? codeOf(thrown) ?? "the connection broke");
  return new OauthError(
    "oauth_unreachable",
    `server "${server.id}": cannot reach ${url.host}: ${reason}`,
  );
}
