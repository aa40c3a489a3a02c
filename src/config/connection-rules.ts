/**
 * What has to be true of the connections on both sides: each server is started or reached, never
 * both; URLs are ones that can be spoken to; tokens are taken from issuers that nobody can imitate.
 */
import { isRecord } from "../contract/json.ts";
import { membersOf, valueAt } from "./config-document.ts";
import type { ConfigPath, Finding } from "./config-document.ts";

const stdioKeys = ["args", "env", "cwd"] as const;
const httpKeys = ["headers", "oauth", "ca_file"] as const;

/** The member that asks for HTTP+SSE of 2024-11-05 or for web sockets; `undefined` where none does. */
export function otherTransportKey(entry: unknown): "type" | "transport" | undefined {
  const keys = ["type", "transport"] as const;
  return keys.find((key) => ["sse", "ws"].some((other) => valueAt(entry, [key]) === other));
}

/** A server is started or reached, never both. */
export function transportFindings(value: unknown): readonly Finding[] {
  return membersOf(value, ["servers"]).flatMap(([id, entry]) => {
    if (!isRecord(entry) || otherTransportKey(entry) !== undefined) return [];
    const path: ConfigPath = ["servers", id];
    const { command, url } = entry;
    if ((command === undefined) === (url === undefined)) {
      const message = `servers.${id}: expected either command or url, found ${url === undefined ? "neither" : "both"}`;
      return [{ path, atKey: true, message }];
    }
    const strangers = url === undefined ? httpKeys : stdioKeys;
    const misplaced = strangers.flatMap((key): readonly Finding[] => {
      if (entry[key] === undefined) return [];
      const message = `servers.${id}.${key} belongs to a server with a ${url === undefined ? "url" : "command"}`;
      return [{ path: [...path, key], atKey: true, message }];
    });
    return [
      ...misplaced,
      ...typeFindings(path, entry),
      ...urlFindings([...path, "url"], url),
      ...oauthFindings([...path, "oauth"], entry["oauth"]),
    ];
  });
}

/** What a client's entry says of itself has to be what is done. */
function typeFindings(path: ConfigPath, entry: Readonly<Record<string, unknown>>) {
  const isStdio = entry["url"] === undefined;
  return ["type", "transport"].flatMap((key): readonly Finding[] => {
    const said = entry[key];
    if (typeof said !== "string" || (said === "stdio") === isStdio) return [];
    const message = `${[...path, key].join(".")}: expected ${isStdio ? '"stdio" with a command' : '"http" with a url'}, found ${JSON.stringify(said)}`;
    return [{ path: [...path, key], message }];
  });
}

function oauthFindings(path: ConfigPath, oauth: unknown): readonly Finding[] {
  if (!isRecord(oauth)) return [];
  const place = path.join(".");
  const isMachine = oauth["grant"] === "client_credentials";
  const missing = ["client_id", "client_secret"].filter((key) => oauth[key] === undefined);
  const findings = urlFindings([...path, "issuer"], oauth["issuer"]);
  if (!isMachine || missing.length === 0) return findings;
  const message = `${place}: expected ${missing.join(" and ")} with grant "client_credentials"`;
  return [...findings, { path, atKey: true, message }];
}

function urlFindings(path: ConfigPath, url: unknown): readonly Finding[] {
  if (typeof url !== "string") return [];
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const place = path.join(".");
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    return [{ path, message: `${place}: expected an http:// or https:// URL` }];
  }
  if (parsed.username !== "" || parsed.password !== "" || parsed.hash !== "") {
    const message = `${place}: expected a URL without credentials and fragment; use headers or oauth`;
    return [{ path, message }];
  }
  return [];
}

/** Rules of the front: somebody must be able to come in, and nobody by mistake. */
export function authorizationFindings(value: unknown): readonly Finding[] {
  const publicUrl: ConfigPath = ["http", "public_url"];
  const path: ConfigPath = ["http", "authorization"];
  const findings = urlFindings(publicUrl, valueAt(value, publicUrl));
  const authorization = valueAt(value, path);
  if (!isRecord(authorization)) return findings;
  const { issuers = [], tokens = [] } = authorization;
  if (!Array.isArray(issuers) || !Array.isArray(tokens)) return findings;
  if (issuers.length + tokens.length === 0) {
    const message =
      "http.authorization: expected issuers or tokens, found neither: nobody could come in";
    return [...findings, { path, atKey: true, message }];
  }
  return [
    ...findings,
    ...issuerFindings(value, [...path, "issuers"], issuers),
    ...tokenFindings(value, [...path, "tokens"], tokens),
  ];
}

function issuerFindings(
  value: unknown,
  path: ConfigPath,
  issuers: readonly unknown[],
): readonly Finding[] {
  return [
    ...duplicateFindings(issuers, path, "issuer"),
    ...issuers.flatMap((_, index) =>
      ["issuer", "jwks_uri"].flatMap((key) => {
        const at = [...path, index, key];
        return secureFindings(at, valueAt(value, at));
      }),
    ),
  ];
}

function tokenFindings(
  value: unknown,
  path: ConfigPath,
  tokens: readonly unknown[],
): readonly Finding[] {
  const known = new Set(membersOf(value, ["servers"]).map(([id]) => id));
  const strangers = tokens.flatMap((_, index) => {
    const at = [...path, index, "servers"];
    const servers = valueAt(value, at);
    if (!Array.isArray(servers)) return [];
    return servers.flatMap((id, place): readonly Finding[] => {
      if (typeof id !== "string" || known.has(id)) return [];
      const message = `${at.join(".")}: there is no server ${JSON.stringify(id)}`;
      return [{ path: [...at, place], message }];
    });
  });
  return [...duplicateFindings(tokens, path, "sha256"), ...strangers];
}

function duplicateFindings(
  entries: readonly unknown[],
  path: ConfigPath,
  key: string,
): readonly Finding[] {
  const values = entries.map((entry) => (isRecord(entry) ? entry[key] : undefined));
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    if (value === undefined || first === index) return [];
    const message = `${[...path, index, key].join(".")}: the same as that of ${[...path, first].join(".")}`;
    return [{ path: [...path, index, key], message }];
  });
}

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Over plain http anybody on the way could hand out keys of their own. */
function secureFindings(path: ConfigPath, url: unknown): readonly Finding[] {
  const findings = urlFindings(path, url);
  if (findings.length > 0 || typeof url !== "string") return findings;
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" || loopback.has(hostname)) return [];
  return [{ path, message: `${path.join(".")}: expected an https:// URL, found http://` }];
}
