/**
 * Who may send a request at all, against pages in somebody's browser (DNS rebinding): the `Host`
 * has to be a name of this gateway, and an `Origin`, where there is one, has to be that of the same
 * host or be listed. What proxies say about either is not read.
 */
import type { Socket } from "node:net";
import type { HttpConfig } from "../../../config/config.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import type { RequestHeaders } from "./read-headers.ts";

export type OriginJudgement =
  | { readonly ok: true; readonly cors: ResponseHeaders }
  | { readonly ok: false; readonly message: string };

export type JudgeOrigin = (headers: RequestHeaders, socket: Socket) => OriginJudgement;

interface HostName {
  readonly name: string;
  /** As it was written; empty where it was not. */
  readonly port: string;
}

const hostPattern = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/;
const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const exposedHeaders = "Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After";
const noCors: ResponseHeaders = {};

/** Makes the judge of one listener. */
export function createOriginPolicy(config: HttpConfig): JudgeOrigin {
  const { publicUrl, allowedHosts, allowedOrigins } = config;
  const published = publicUrl === undefined ? undefined : new URL(publicUrl);
  const hosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));

  function isAllowedHost(host: HostName, socket: Socket): boolean {
    const { name, port } = host;
    if (hosts.has(name) || hosts.has(`${name}:${port}`)) return true;
    return isPublished(host, published) || isOwn(host, socket);
  }

  function isAllowedOrigin(origin: string, host: HostName): boolean {
    if (origin === "null") return false;
    if (origins.has(origin)) return true;
    if (isPublished(host, published)) return origin === published?.origin;
    return origin === originOf(host);
  }

  function judge(headers: RequestHeaders, socket: Socket): OriginJudgement {
    const host = readHost(headers.get("host"));
    if (host === undefined || !isAllowedHost(host, socket)) {
      const message =
        "expected a Host of this gateway, found another; http.public_url and http.allowed_hosts name its hosts";
      return { ok: false, message };
    }
    const origin = headers.get("origin");
    if (origin === undefined) return { ok: true, cors: noCors };
    if (isAllowedOrigin(origin.toLowerCase(), host)) return { ok: true, cors: corsOf(origin) };
    const message =
      "expected the Origin of this gateway or one of http.allowed_origins, found another";
    return { ok: false, message };
  }

  // The same four facts have the same judgement, and most requests bring those of the one before.
  let last: Judged | undefined;
  return (headers, socket) => {
    const { localAddress, localPort } = socket;
    const host = headers.get("host");
    const origin = headers.get("origin");
    const isSame =
      last !== undefined &&
      last.host === host &&
      last.origin === origin &&
      last.localAddress === localAddress &&
      last.localPort === localPort;
    if (last !== undefined && isSame) return last.judgement;
    const judgement = judge(headers, socket);
    last = { host, origin, localAddress, localPort, judgement };
    return judgement;
  };
}

interface Judged {
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly judgement: OriginJudgement;
}

function readHost(value: string | undefined): HostName | undefined {
  const match = hostPattern.exec((value ?? "").toLowerCase());
  if (match === null) return undefined;
  return { name: match[1] ?? "", port: match[2] ?? "" };
}

function isPublished({ name, port }: HostName, published: URL | undefined): boolean {
  if (published === undefined || published.hostname !== name) return false;
  const usual = published.protocol === "https:" ? "443" : "80";
  return (port === "" ? usual : port) === (published.port === "" ? usual : published.port);
}

/**
 * The address that the connection itself came to. A name cannot be rebound to a literal address,
 * and `localhost` is nobody else's name, whatever port a tunnel gave it.
 */
function isOwn({ name, port }: HostName, { localAddress, localPort }: Socket): boolean {
  const address = (localAddress ?? "").replace(/^::ffff:/, "");
  if (isLoopback(address) && loopbackNames.has(name)) return true;
  const literal = address.includes(":") ? `[${address}]` : address;
  return literal === name && Number(port === "" ? "80" : port) === localPort;
}

/** True for an address of this machine that no other can reach. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || /^127(?:\.\d{1,3}){3}$/.test(address);
}

function originOf({ name, port }: HostName): string {
  return port === "" || port === "80" ? `http://${name}` : `http://${name}:${port}`;
}

function corsOf(origin: string): ResponseHeaders {
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Expose-Headers": exposedHeaders,
    Vary: "Origin",
  };
}
