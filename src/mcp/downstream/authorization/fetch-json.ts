/**
 * Fetches a small JSON document of an issuer: over TLS or from this machine, without following
 * redirects, within a time and a size. Why it failed is told in words of this file, never in those
 * of the other side.
 */

/** The fetch that is used; the platform's own in production. */
export type Fetch = typeof globalThis.fetch;

export type FetchedJson =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly problem: FetchProblem;
      /** HTTP status, where there was an answer. */
      readonly status?: number;
    };

export type FetchProblem =
  /** Neither https nor http to a loopback address. */
  | "insecure_url"
  | "unreachable"
  | "timeout"
  /** Any other status than 200, redirects among them. */
  | "status"
  | "too_large"
  | "no_json";

const timeoutMs = 5000;
const maxBodyBytes = 1024 * 1024;

/** Fetches and parses; never rejects. */
export async function fetchJson(fetch: Fetch, url: string): Promise<FetchedJson> {
  if (!isSecureUrl(url)) return { ok: false, problem: "insecure_url" };
  try {
    const response = await fetch(url, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { ok: false, problem: "status", status: response.status };
    }
    const body = await readBody(response);
    return body === undefined ? { ok: false, problem: "too_large" } : parse(body);
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    return { ok: false, problem: isTimeout ? "timeout" : "unreachable" };
  }
}

/** True for https, and for http where the other end is this machine. */
export function isSecureUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && isLoopbackUrl(url));
}

/** True where the URL's host is this machine by its name or address literal. */
export function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** `undefined` where there is more than the limit; the rest is not read. */
async function readBody(response: Response): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): FetchedJson {
  try {
    return { ok: true, value: JSON.parse(body.toString("utf8")) };
  } catch {
    return { ok: false, problem: "no_json" };
  }
}
