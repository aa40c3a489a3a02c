/**
 * Go's `json.Marshal` and `json.MarshalIndent` of a Rego value: members in the order of their keys,
 * sets as sorted lists, keys of other types as their own JSON, `<`, `>` and `&` escaped.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";
import { compareTexts, sortedItems } from "./compare-opa-values.ts";

export interface Indentation {
  /** In front of every line. */
  readonly prefix: string;
  /** Once for each level. */
  readonly indent: string;
}

/** Longer texts fail the evaluation. */
const maxLength = 8 * 1024 * 1024;

interface Writer {
  readonly layout: Indentation | undefined;
  text: string;
}

/** JSON text. Without an indentation, on one line. */
export function marshalGoJson(value: OpaValue, layout?: Indentation): string {
  const writer = { layout, text: "" };
  write(writer, value, 0);
  return writer.text;
}

function write(writer: Writer, value: OpaValue, depth: number): void {
  if (writer.text.length > maxLength) {
    throw new Error(`expected json text of at most ${maxLength} characters, found more`);
  }
  switch (value.kind) {
    case "null":
    case "boolean":
    case "number":
      writer.text += value.text;
      return;
    case "string":
      writer.text += quote(value.value);
      return;
    case "array":
      writeAll(writer, "[]", value.items, depth, (item) => write(writer, item, depth + 1));
      return;
    case "set": {
      const items = sortedItems(value.items);
      writeAll(writer, "[]", items, depth, (item) => write(writer, item, depth + 1));
      return;
    }
    case "object":
      writeAll(writer, "{}", namedMembers(value.members), depth, ([name, member]) => {
        writer.text += quote(name) + (writer.layout === undefined ? ":" : ": ");
        write(writer, member, depth + 1);
      });
  }
}

function writeAll<Item>(
  writer: Writer,
  brackets: string,
  items: readonly Item[],
  depth: number,
  writeItem: (item: Item) => void,
): void {
  writer.text += brackets[0] ?? "";
  for (const [place, item] of items.entries()) {
    if (place > 0) writer.text += ",";
    breakLine(writer, depth + 1);
    writeItem(item);
  }
  if (items.length > 0) breakLine(writer, depth);
  writer.text += brackets[1] ?? "";
}

function breakLine(writer: Writer, depth: number): void {
  const { layout } = writer;
  if (layout !== undefined) writer.text += `\n${layout.prefix}${layout.indent.repeat(depth)}`;
}

function namedMembers(members: readonly OpaMember[]): readonly (readonly [string, OpaValue])[] {
  return members
    .map(([key, value]) => [key.kind === "string" ? key.value : marshalGoJson(key), value] as const)
    .toSorted(([left], [right]) => compareTexts(left, right));
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
