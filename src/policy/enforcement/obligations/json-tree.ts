/**
 * JSON text as a tree that loses nothing when it is printed again: numbers keep their digits, a
 * member that stands there twice stands there twice. What a server answers is changed on such a tree,
 * because the client may read its text otherwise than `JSON.parse` does.
 */

export type JsonNode =
  | { readonly kind: "object"; readonly members: readonly JsonMember[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string"; readonly value: string }
  /** A number, `true`, `false` or `null`, as it is written. */
  | { readonly kind: "word"; readonly text: string };

export type JsonMember = readonly [name: string, value: JsonNode];

interface Reading {
  readonly text: string;
  at: number;
}

const maxLevels = 256;
const space = /[ \t\n\r]*/y;
const word = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Reads a whole JSON text; `undefined` for what is none, or nested deeper than anything is. */
export function readTree(text: string): JsonNode | undefined {
  const reading = { text, at: 0 };
  const node = readValue(reading, 0);
  skip(reading);
  return reading.at === text.length ? node : undefined;
}

/** The text of a tree, without spaces. */
export function printTree(node: JsonNode): string {
  switch (node.kind) {
    case "word":
      return node.text;
    case "string":
      return JSON.stringify(node.value);
    case "array":
      return `[${node.items.map(printTree).join(",")}]`;
    case "object":
      return `{${node.members.map(printMember).join(",")}}`;
  }
}

/** A string as a node. */
export function stringNode(value: string): JsonNode {
  return { kind: "string", value };
}

/** True where any object names a member twice: readers differ in which of them counts. */
export function hasDuplicates(node: JsonNode): boolean {
  if (node.kind === "array") return node.items.some(hasDuplicates);
  if (node.kind !== "object") return false;
  const names = new Set(node.members.map(([name]) => name));
  return names.size < node.members.length || node.members.some(([, value]) => hasDuplicates(value));
}

function printMember([name, value]: JsonMember): string {
  return `${JSON.stringify(name)}:${printTree(value)}`;
}

function readValue(reading: Reading, level: number): JsonNode | undefined {
  skip(reading);
  if (level > maxLevels) return undefined;
  const first = reading.text[reading.at];
  if (first === "{") return readObject(reading, level);
  if (first === "[") return readArray(reading, level);
  if (first === '"') {
    const value = readString(reading);
    return value === undefined ? undefined : stringNode(value);
  }
  const text = take(reading, word);
  return text === undefined ? undefined : { kind: "word", text };
}

function readObject(reading: Reading, level: number): JsonNode | undefined {
  const members: JsonMember[] = [];
  const isWhole = readItems(reading, "}", () => {
    const name = readString(reading);
    if (name === undefined || !takeSign(reading, ":")) return false;
    const value = readValue(reading, level + 1);
    if (value === undefined) return false;
    members.push([name, value]);
    return true;
  });
  return isWhole ? { kind: "object", members } : undefined;
}

function readArray(reading: Reading, level: number): JsonNode | undefined {
  const items: JsonNode[] = [];
  const isWhole = readItems(reading, "]", () => {
    const item = readValue(reading, level + 1);
    if (item !== undefined) items.push(item);
    return item !== undefined;
  });
  return isWhole ? { kind: "array", items } : undefined;
}

/** Reads what stands between brackets; false where it is not well formed. */
function readItems(reading: Reading, close: string, readItem: () => boolean): boolean {
  reading.at += 1;
  if (takeSign(reading, close)) return true;
  for (;;) {
    skip(reading);
    if (!readItem()) return false;
    if (takeSign(reading, close)) return true;
    if (!takeSign(reading, ",")) return false;
  }
}

function readString(reading: Reading): string | undefined {
  const text = takeString(reading);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** By hand: a pattern over a string of megabytes runs out of stack. */
function takeString(reading: Reading): string | undefined {
  const { text, at } = reading;
  if (text[at] !== '"') return undefined;
  for (let end = at; ;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return undefined;
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 1) continue;
    reading.at = end + 1;
    return text.slice(at, end + 1);
  }
}

function takeSign(reading: Reading, sign: string): boolean {
  skip(reading);
  if (reading.text[reading.at] !== sign) return false;
  reading.at += 1;
  return true;
}

function take(reading: Reading, pattern: RegExp): string | undefined {
  pattern.lastIndex = reading.at;
  const [found] = pattern.exec(reading.text) ?? [];
  if (found === undefined) return undefined;
  reading.at += found.length;
  return found;
}

function skip(reading: Reading): void {
  take(reading, space);
}
