/**
 * The obligation `mask_fields`: takes the values of fields out of JSON documents, wherever in a
 * document they stand and also where the document is the text of a content block. Text in which no
 * fields can be told does not pass, unless the obligation says so.
 */
import type { Editor, Tally } from "./editor.ts";
import type { JsonNode } from "./json-tree.ts";
import { printTree, readTree, stringNode } from "./json-tree.ts";
import type { MaskDuty } from "./obligation.ts";

const mask = "***";
const maxNesting = 4;

/** The obligation at work on one message. */
export function maskEditor(duty: MaskDuty): Editor {
  const tally: Tally = { changed: 0, problem: undefined };
  const masking = { duty, tally };
  const note = `[withheld by policy: "${duty.id}" finds no fields in this content]`;
  return {
    tally,
    prose: (text) => {
      const masked = maskText(masking, text, [], 0);
      if (masked !== undefined) return masked;
      if (duty.text === "pass") return text;
      tally.changed += 1;
      return note;
    },
    document: (node) => maskNode(masking, node, [], 0),
    uri: (text) => text,
    forbids: () => false,
    binary: () => (duty.text === "pass" ? undefined : note),
  };
}

interface Masking {
  readonly duty: MaskDuty;
  readonly tally: Tally;
}

/** `undefined` for a text that is no JSON document. */
function maskText(
  masking: Masking,
  text: string,
  path: readonly string[],
  nesting: number,
): string | undefined {
  const isDocument = nesting < maxNesting && /^\s{0,64}[[{]/.test(text);
  const inner = isDocument ? readTree(text) : undefined;
  if (inner === undefined) return undefined;
  const before = masking.tally.changed;
  const masked = maskNode(masking, inner, path, nesting + 1);
  return masking.tally.changed === before ? text : printTree(masked);
}

function maskNode(
  masking: Masking,
  node: JsonNode,
  path: readonly string[],
  nesting: number,
): JsonNode {
  if (isMasked(masking.duty, path)) {
    masking.tally.changed += 1;
    return masking.duty.keepsType ? emptied(node) : stringNode(mask);
  }
  switch (node.kind) {
    case "word":
      return node;
    case "string": {
      const masked = maskText(masking, node.value, path, nesting);
      return masked === undefined || masked === node.value ? node : stringNode(masked);
    }
    case "array":
      return {
        ...node,
        items: node.items.map((item, at) => maskNode(masking, item, [...path, `${at}`], nesting)),
      };
    case "object":
      return {
        ...node,
        members: node.members.map(([name, value]) => [
          name,
          maskNode(masking, value, [...path, name], nesting),
        ]),
      };
  }
}

/** A path may count the items of lists, or leave them out. */
function isMasked({ fields }: MaskDuty, path: readonly string[]): boolean {
  const names = path.filter((part) => !/^\d+$/.test(part));
  const isItem = names.length < path.length;
  return fields.some((field) => isEndOf(field, path) || (isItem && isEndOf(field, names)));
}

/** True where the path ends in these names. */
function isEndOf(field: readonly string[], path: readonly string[]): boolean {
  if (field.length > path.length) return false;
  const from = path.length - field.length;
  return field.every((part, at) => part === "*" || part === path[from + at]);
}

/** A value of the same type that says nothing. */
function emptied(node: JsonNode): JsonNode {
  switch (node.kind) {
    case "string":
      return stringNode(mask);
    case "array":
      return { ...node, items: [] };
    case "object":
      return { ...node, members: [] };
    case "word":
      if (node.text === "null") return node;
      return { ...node, text: /^[tf]/.test(node.text) ? "false" : "0" };
  }
}
