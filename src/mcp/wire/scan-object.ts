/**
 * Finds the members of a JSON object in its bytes without building values: where each key's value
 * starts and ends. Used on results of upstream servers, whose bytes pass to the client as they
 * came. It promises spans, a bounded depth and unique keys on the level it reads; whether the bytes
 * are JSON at all is checked by `JSON.parse` beside it.
 */
import { endOfString } from "./end-of-string.ts";

/** Byte offsets of a value: `start` inclusive, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type ObjectScan =
  | { readonly ok: true; readonly members: ReadonlyMap<string, Span> }
  | { readonly ok: false; readonly message: string };

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Scans an object; `maxDepth` counts the object itself as one level. */
export function scanObject(bytes: Buffer, maxDepth: number): ObjectScan {
  const members = new Map<string, Span>();
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== openBrace) return { ok: false, message: "expected a JSON object" };
  at = skipSpace(bytes, at + 1);
  while (at < bytes.length && bytes[at] !== closeBrace) {
    const keyEnd = endOfString(bytes, at) ?? bytes.length;
    const key = readKey(bytes, at, keyEnd);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== colon) return { ok: false, message: 'expected ":" after a key' };
    const start = skipSpace(bytes, at + 1);
    const end = endOfValue(bytes, start, maxDepth - 1);
    if (end === undefined)
      return { ok: false, message: `nesting is deeper than ${maxDepth} levels` };
    if (members.has(key))
      return { ok: false, message: `the member ${JSON.stringify(key)} stands twice` };
    members.set(key, { start, end });
    at = skipSpace(bytes, end);
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1);
  }
  return { ok: true, members };
}

function readKey(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString("utf8", start, end);
  const key: unknown = raw.includes("\\") ? JSON.parse(raw) : raw.slice(1, -1);
  return typeof key === "string" ? key : raw;
}

/** The offset behind a value; `undefined` where it nests deeper than allowed. */
function endOfValue(bytes: Buffer, start: number, maxDepth: number): number | undefined {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === quote) {
      at = endOfString(bytes, at) ?? bytes.length;
      if (depth === 0) return at;
      continue;
    }
    if (byte === openBrace || byte === openBracket) {
      depth += 1;
      if (depth > maxDepth) return undefined;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return trimEnd(bytes, at);
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (byte === comma && depth === 0) {
      return trimEnd(bytes, at);
    }
    at += 1;
  }
  return at;
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

function trimEnd(bytes: Buffer, end: number): number {
  let at = end;
  while (isSpace(bytes[at - 1])) at -= 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
