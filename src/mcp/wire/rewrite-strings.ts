/**
 * Replaces string values in the bytes of a JSON value by their path and touches no other byte:
 * numbers, spacing, escapes and key order of an upstream reach the client as they came. One pass,
 * bounded depth. Which strings are replaced, and by what, is for the caller to say.
 */
import { endOfString } from "./end-of-string.ts";
import { maxDepth } from "./strict-json.ts";

/** Object keys and array indexes from the root. One array for the whole pass: copy it to keep it. */
export type JsonPath = readonly (string | number)[];

/**
 * The new text of the string at `path`, `undefined` to leave it. `text` reads the present one; not
 * calling it is what keeps long strings cheap.
 */
export type ReplaceString = (path: JsonPath, text: () => string) => string | undefined;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

interface Pass {
  readonly bytes: Buffer;
  readonly replace: ReplaceString;
  readonly path: (string | number)[];
  /** Kept bytes and new strings in turn, up to `done`. */
  readonly parts: Buffer[];
  done: number;
}

/**
 * The changed bytes; the same buffer where nothing changes; `undefined` where they nest deeper than
 * 64 levels or are no JSON.
 */
export function rewriteStrings(bytes: Buffer, replace: ReplaceString): Buffer | undefined {
  const pass: Pass = { bytes, replace, path: [], parts: [], done: 0 };
  try {
    const end = skipSpace(bytes, passValue(pass, skipSpace(bytes, 0)));
    if (end !== bytes.length) return undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
  if (pass.parts.length === 0) return bytes;
  return Buffer.concat([...pass.parts, bytes.subarray(pass.done)]);
}

/** Passes the value that starts at `at`; returns the offset behind it, as all of these do. */
function passValue(pass: Pass, at: number): number {
  switch (pass.bytes[at]) {
    case quote:
      return passString(pass, at);
    case openBrace:
      return passMembers(pass, at, closeBrace);
    case openBracket:
      return passMembers(pass, at, closeBracket);
    default:
      return endOfWord(pass.bytes, at);
  }
}

function passString(pass: Pass, start: number): number {
  const end = stringEnd(pass.bytes, start);
  const text = (): string => decode(pass.bytes, start, end);
  const replacement = pass.replace(pass.path, text);
  if (replacement !== undefined && replacement !== text()) {
    const encoded = Buffer.from(JSON.stringify(replacement));
    pass.parts.push(pass.bytes.subarray(pass.done, start), encoded);
    pass.done = end;
  }
  return end;
}

/** Passes the members of an object, or the elements of an array, and the bracket that ends them. */
function passMembers(pass: Pass, start: number, close: number): number {
  const { bytes, path } = pass;
  if (path.length >= maxDepth) throw new SyntaxError("nested too deeply");
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === close) return at + 1;
  for (let index = 0; ; index += 1) {
    const key = close === closeBrace ? passKey(bytes, at) : { name: index, end: at };
    path.push(key.name);
    at = skipSpace(bytes, passValue(pass, key.end));
    path.pop();
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== comma) throw new SyntaxError("expected a comma");
    at = skipSpace(bytes, at + 1);
  }
}

function passKey(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  if (bytes[start] !== quote) throw new SyntaxError("expected a key");
  const end = stringEnd(bytes, start);
  const at = skipSpace(bytes, end);
  if (bytes[at] !== colon) throw new SyntaxError("expected a colon");
  return { name: decode(bytes, start, end), end: skipSpace(bytes, at + 1) };
}

function decode(bytes: Buffer, start: number, end: number): string {
  const value: unknown = JSON.parse(bytes.toString("utf8", start, end));
  if (typeof value !== "string") throw new SyntaxError("expected a string");
  return value;
}

/** Throws where nothing closes it. */
function stringEnd(bytes: Buffer, start: number): number {
  const end = endOfString(bytes, start);
  if (end === undefined) throw new SyntaxError("expected the end of a string");
  return end;
}

/** The offset behind a number, `true`, `false` or `null`. */
function endOfWord(bytes: Buffer, start: number): number {
  let at = start;
  while (isWordByte(bytes[at])) at += 1;
  if (at === start) throw new SyntaxError("expected a value");
  return at;
}

/** Letters, digits, `+`, `-` and `.`: all that numbers and the three words are made of. */
function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x2b && byte <= 0x39 && byte !== comma) ||
    byte === 0x45
  );
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return at;
    at += 1;
  }
}
