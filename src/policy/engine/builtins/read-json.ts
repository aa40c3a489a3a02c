/**
 * JSON text as a value with every digit of its numbers, as Go's decoder reads it: of members with
 * one name the last, and U+FFFD for half a character.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";

interface Reader {
  readonly text: string;
  offset: number;
}

const space = /[ \t\n\r]*/y;
const stringToken = /"(?:[^"\\]|\\.)*"/sy;
const plainToken = /[^\s,\]}]+/y;

/**
 * Reads one value.
 *
 * @throws SyntaxError for text that is no JSON.
 */
export function readJson(text: string): OpaValue {
  // What is JSON at all is judged here; below only its tokens are taken.
  JSON.parse(text);
  return readValue({ text, offset: 0 });
}

function readValue(reader: Reader): OpaValue {
  skipSpace(reader);
  switch (reader.text[reader.offset]) {
    case '"':
      return { kind: "string", value: readString(reader) };
    case "[":
      return { kind: "array", items: readList(reader, "]", readValue) };
    case "{":
      return { kind: "object", members: lastOfEach(readList(reader, "}", readMember)) };
    default:
      return readPlain(takeToken(reader, plainToken));
  }
}

function readList<Item>(reader: Reader, end: string, read: (reader: Reader) => Item): Item[] {
  const items: Item[] = [];
  do {
    reader.offset += 1;
    skipSpace(reader);
    if (reader.text[reader.offset] === end) break;
    items.push(read(reader));
    skipSpace(reader);
  } while (reader.text[reader.offset] === ",");
  reader.offset += 1;
  return items;
}

function readMember(reader: Reader): OpaMember {
  const value = readString(reader);
  skipSpace(reader);
  reader.offset += 1;
  return [{ kind: "string", value }, readValue(reader)];
}

function readString(reader: Reader): string {
  const value: unknown = JSON.parse(takeToken(reader, stringToken));
  return String(value).toWellFormed();
}

function readPlain(text: string): OpaValue {
  if (text === "null") return { kind: "null", text };
  return { kind: text === "true" || text === "false" ? "boolean" : "number", text };
}

function lastOfEach(members: readonly OpaMember[]): readonly OpaMember[] {
  const byName = new Map<string, OpaMember>();
  for (const member of members) {
    const [key] = member;
    if (key.kind === "string") byName.set(key.value, member);
  }
  return [...byName.values()];
}

function skipSpace(reader: Reader): void {
  takeToken(reader, space);
}

function takeToken(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.offset;
  const token = pattern.exec(reader.text)?.[0] ?? "";
  reader.offset += token.length;
  return token;
}
