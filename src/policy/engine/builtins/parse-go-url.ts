/**
 * Go's `net/url.Parse`. What it refuses is refused here: control characters, a colon in the first
 * segment of a relative path, escapes in hosts, ports that are no digits.
 */
import { readAddress } from "./ip-network.ts";
import { escapeAll, unescapePercent } from "./percent-encoding.ts";

/** Parts of a URL; one that is not there is empty. */
export interface GoUrl {
  readonly scheme: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  /** As it was written, where escaping the path again would give another text; else the path. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly fragment: string;
}

const control = /[\u0000-\u001f\u007f]/;
const schemeForm = /^([A-Za-z][A-Za-z0-9+.-]*)?:/;
const userForm = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** Of ASCII; every other character may stand in a host. */
const hostForm = /^[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\u{10ffff}]*$/u;
const keptInPath = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
const optionalPort = /^(?::\d*)?$/;

/** Undefined for text that Go takes for no URL. */
export function parseGoUrl(text: string): GoUrl | undefined {
  const [whole, rawFragment] = cut(text, "#");
  const url = parseWithoutFragment(whole);
  const fragment = unescapePercent(rawFragment);
  return url === undefined || fragment === undefined ? undefined : { ...url, fragment };
}

function parseWithoutFragment(text: string): Omit<GoUrl, "fragment"> | undefined {
  const nothing = { hostname: "", port: "", path: "", rawPath: "", rawQuery: "" };
  if (control.test(text)) return undefined;
  if (text === "*") return { ...nothing, scheme: "", path: "*", rawPath: "*" };
  const [matched = "", scheme = ""] = schemeForm.exec(text) ?? [];
  if (matched === ":") return undefined;
  const [rest, rawQuery] = cut(text.slice(matched.length), "?");
  const parts = { ...nothing, scheme: scheme.toLowerCase(), rawQuery };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return parts;
    if (cut(rest, "/")[0].includes(":")) return undefined;
  }
  const hasAuthority = rest.startsWith("//") && (scheme !== "" || !rest.startsWith("///"));
  if (!hasAuthority) return withPath(parts, rest);
  const [authority] = cut(rest.slice(2), "/");
  const host = parseAuthority(authority, parts.scheme);
  return host === undefined
    ? undefined
    : withPath({ ...parts, ...splitPort(host) }, rest.slice(2 + authority.length));
}

function withPath<Parts>(
  parts: Parts,
  written: string,
): (Parts & { readonly path: string; readonly rawPath: string }) | undefined {
  const path = unescapePercent(written);
  if (path === undefined) return undefined;
  return { ...parts, path, rawPath: written === escapeAll(path, keptInPath) ? path : written };
}

/** The host with its port; undefined where it, or who is named before it, is not in order. */
function parseAuthority(authority: string, scheme: string): string | undefined {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  if (!userForm.test(user) || unescapePercent(user) === undefined) return undefined;
  return parseHost(authority.slice(at + 1), scheme);
}

function parseHost(host: string, scheme: string): string | undefined {
  const open = host.lastIndexOf("[");
  if (open > 0) return undefined;
  if (open === 0) return parseLiteral(host);
  const first = host.indexOf(":");
  if (first >= 0) {
    // Lists of hosts with ports are let through for databases, and for nothing of the web.
    const isWeb = scheme === "http" || scheme === "https";
    const colon = isWeb ? first : host.lastIndexOf(":");
    if (!optionalPort.test(host.slice(colon))) return undefined;
  }
  return unescapeHost(host);
}

/** `[address]` or `[address%25zone]`, and a port behind it. */
function parseLiteral(host: string): string | undefined {
  const close = host.lastIndexOf("]");
  if (close < 0 || !optionalPort.test(host.slice(close + 1))) return undefined;
  const inside = host.slice(1, close);
  const zoneAt = inside.indexOf("%25");
  const address = unescapeHost(zoneAt < 0 ? inside : inside.slice(0, zoneAt));
  const zone = zoneAt < 0 ? "" : unescapeZone(inside.slice(zoneAt));
  if (address === undefined || zone === undefined || zone === "%") return undefined;
  if (!address.includes(":") || readAddress(address) === undefined) return undefined;
  return `[${address}${zone}]${host.slice(close + 1)}`;
}

/** In a host only bytes beyond ASCII, and `%` itself, may be escaped. */
function unescapeHost(host: string): string | undefined {
  if (/%[0-7]/.test(host.replaceAll("%25", ""))) return undefined;
  return hostForm.test(host.replaceAll("%", "")) ? unescapePercent(host) : undefined;
}

/** In a zone what could stand there unescaped, and a space. */
function unescapeZone(zone: string): string | undefined {
  if (!hostForm.test(zone.replaceAll("%", ""))) return undefined;
  const unescaped = unescapePercent(zone);
  return unescaped !== undefined && hostForm.test(unescaped.replaceAll(/[% ]/g, ""))
    ? unescaped
    : undefined;
}

function splitPort(host: string): { readonly hostname: string; readonly port: string } {
  const colon = host.lastIndexOf(":");
  const hasPort = colon >= 0 && optionalPort.test(host.slice(colon));
  const hostname = hasPort ? host.slice(0, colon) : host;
  const isLiteral = hostname.startsWith("[") && hostname.endsWith("]");
  return {
    hostname: isLiteral ? hostname.slice(1, -1) : hostname,
    port: hasPort ? host.slice(colon + 1) : "",
  };
}

function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
