/**
 * One line of a configuration file as it may be shown: keys, punctuation and the values of places
 * where no secret belongs; every other value and every comment is left out, whatever is wrong with
 * the file.
 */
import type { SourceExcerpt } from "./config-error.ts";
import type { ConfigDocument, ConfigPath } from "./config-document.ts";
import { visitLeaves } from "./config-document.ts";
import { tokensOf } from "./jsonc-tokens.ts";
import type { JsoncToken } from "./jsonc-tokens.ts";

/** Places whose values are shown; `*` is one key or index, `**` the rest. */
const openPlaces: readonly string[] = [
  "profile",
  "tenant",
  "agent.*",
  "user.**",
  "environment.*",
  "servers.*.protocol",
  "servers.*.sharing",
  "servers.*.to_client.*",
  "servers.*.resources",
  "servers.*.idle_timeout_ms",
  "servers.*.max_concurrent",
  "servers.*.max_connections",
  "servers.*.oauth.grant",
  "servers.*.oauth.callback_port",
  "servers.*.naming",
  "servers.*.type",
  "servers.*.transport",
  "servers.*.region",
  "servers.*.external",
  "servers.*.disabled",
  "servers.*.ceiling.*",
  "servers.*.tools.**",
  "servers.*.start_timeout_ms",
  "servers.*.call_timeout_ms",
  "layers.*.name",
  "layers.*.kind",
  "trust.*.type",
  "trust.*.algorithm",
  ...["servers", "layers"].flatMap((owner) =>
    ["policy", "shadow", "canary.policy"].flatMap((source) => [
      `${owner}.*.${source}.signers.*.type`,
      `${owner}.*.${source}.require`,
      `${owner}.*.${source}.activation`,
    ]),
  ),
  "servers.*.canary.percent",
  "servers.*.canary.abort.*",
  "layers.*.canary.percent",
  "layers.*.canary.abort.*",
  "decisions.durability",
  "decisions.on_failure",
  "decisions.spool_max_bytes",
  "policy.*",
  "approvals.wait",
  "approvals.ttl",
  "approvals.max_ttl",
  "approvals.max_pending",
  "http.max_body_bytes",
  "http.max_sessions",
  "http.session_idle_seconds",
  "http.authorization.issuers.*.algorithms.*",
];

const omitted = "…";
const widthLimit = 120;

/** True where a value may be printed in a message or an excerpt. */
export function isOpenPlace(path: ConfigPath): boolean {
  return openPlaces.some((place) => matchesPlace(place.split("."), path));
}

/** For a document, what shows the line around an offset, masked, with the caret below it. */
export function createExcerpts(document: ConfigDocument): (offset: number) => SourceExcerpt {
  const tokens = tokensOf(document.text);
  const shown = shownOffsets(document);
  return (offset) => excerptAt(document.text, tokens, shown, offset);
}

function excerptAt(
  text: string,
  tokens: readonly JsoncToken[],
  shown: ReadonlySet<number>,
  offset: number,
): SourceExcerpt {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", start);
  const end = newline === -1 ? text.length : newline;
  let line = "";
  let caret: number | undefined;
  for (const token of tokens) {
    const from = Math.max(token.offset, start);
    const to = Math.min(token.offset + token.length, end);
    if (from > to) continue;
    const visible = isVisible(token, shown);
    if (offset >= token.offset && offset < token.offset + token.length) {
      caret = line.length + (visible ? offset - from : 0);
    }
    if (from < to) line += visible ? text.slice(from, to) : maskOf(token);
  }
  return clip(line.replace(/\p{Cc}/gu, " "), caret ?? line.length);
}

function matchesPlace(place: readonly string[], path: ConfigPath): boolean {
  const open = place.at(-1) === "**";
  if (open ? path.length < place.length : path.length !== place.length) return false;
  const fixed = open ? place.slice(0, -1) : place;
  return fixed.every((segment, index) => segment === "*" || segment === path[index]);
}

function shownOffsets(document: ConfigDocument): ReadonlySet<number> {
  const offsets = new Set<number>();
  if (document.broken) return offsets;
  visitLeaves(document.root, [], (leaf, path) => {
    if (isOpenPlace(path)) offsets.add(leaf.offset);
  });
  return offsets;
}

function isVisible(token: JsoncToken, shown: ReadonlySet<number>): boolean {
  switch (token.kind) {
    case "open":
    case "close":
    case "punctuation":
    case "key":
    case "keyword":
    case "space":
      return true;
    case "string":
    case "number":
      return shown.has(token.offset);
    case "comment":
    case "unknown":
      return false;
  }
}

function maskOf(token: JsoncToken): string {
  if (token.kind === "comment") return "";
  return token.kind === "string" ? `"${omitted}"` : omitted;
}

function clip(line: string, caret: number): SourceExcerpt {
  const whole = line.trimEnd();
  if (whole.length <= widthLimit) return { text: whole, caret };
  const from = Math.max(0, caret - widthLimit / 2);
  const cut = from + widthLimit < whole.length ? omitted : "";
  const part = whole.slice(from, from + widthLimit) + cut;
  return from === 0 ? { text: part, caret } : { text: omitted + part, caret: caret - from + 1 };
}
