/**
 * Values on their way back into a policy: JSON text in which sets, and keys of any type, may stand.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";

/** A string. Half a character, which a policy's parser does not take, becomes U+FFFD. */
export function writeText(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

/** Strings, one after the other as they are asked for. */
export function* writeEach(texts: Iterable<string>): Generator<string> {
  for (const text of texts) yield writeText(text);
}

/** Bytes of one builtin's answer; a policy's memory has to hold it many times over. */
export const maxAnswerBytes = 8 * 1024 * 1024;

/**
 * An array of values that are written already.
 *
 * @throws Error as soon as they are longer than any answer may be, before all of them are held.
 */
export function writeArray(items: Iterable<string>): string {
  const written: string[] = [];
  let length = 1;
  for (const item of items) {
    length += item.length + 1;
    if (length > maxAnswerBytes) {
      throw new Error(`expected at most ${maxAnswerBytes} bytes as an array, found more`);
    }
    written.push(item);
  }
  return `[${written.join(",")}]`;
}

/** A set of values that are written already; what is written alike is one member. */
export function writeSet(items: Iterable<string>): string {
  const distinct = [...new Set(items)];
  return distinct.length === 0 ? "set()" : `{${distinct.join(",")}}`;
}

/** An object of members that are written already. */
export function writeObject(members: readonly (readonly [key: string, value: string])[]): string {
  return `{${members.map(([key, value]) => `${key}:${value}`).join(",")}}`;
}

/** Any value, as it was. */
export function writeValue(value: OpaValue): string {
  switch (value.kind) {
    case "null":
    case "boolean":
    case "number":
      return value.text;
    case "string":
      return writeText(value.value);
    case "array":
      return writeArray(value.items.map(writeValue));
    case "set":
      return writeSet(value.items.map(writeValue));
    case "object":
      return writeObject(value.members.map(writeMember));
  }
}

function writeMember([key, value]: OpaMember): readonly [string, string] {
  return [writeValue(key), writeValue(value)];
}
