/**
 * The obligation `truncate`: what is longer is cut, and says so. All texts of a message share one
 * allowance, in their order. A document cannot be cut and stay one, so it passes whole or not at all;
 * its lists can be.
 */
import type { Editor, Tally } from "./editor.ts";
import type { JsonNode } from "./json-tree.ts";
import { printTree, readTree } from "./json-tree.ts";
import type { TruncateDuty } from "./obligation.ts";

interface Cutting {
  readonly duty: TruncateDuty;
  readonly tally: Tally;
  bytesLeft: number;
  charactersLeft: number;
}

const endless = Number.POSITIVE_INFINITY;

/** The obligation at work on one message. */
export function truncateEditor(duty: TruncateDuty): Editor {
  const tally: Tally = { changed: 0, problem: undefined };
  const cutting: Cutting = {
    duty,
    tally,
    bytesLeft: duty.maxBytes ?? endless,
    charactersLeft: duty.maxCharacters ?? endless,
  };
  return {
    tally,
    prose: (text) => cutText(cutting, cutItemsOf(cutting, text)),
    document: (node) => {
      const shorter = cutItems(cutting, node);
      const text = printTree(shorter);
      if (fits(cutting, text)) return spend(cutting, text, shorter);
      tally.changed += 1;
      return undefined;
    },
    uri: (text) => text,
    forbids: () => false,
    binary: (length) => {
      const isFitting = length <= Math.min(cutting.bytesLeft, cutting.charactersLeft);
      if (!isFitting) return `[truncated by policy: content of ${length} characters left out]`;
      cutting.bytesLeft -= length;
      cutting.charactersLeft -= length;
      return undefined;
    },
  };
}

function fits({ bytesLeft, charactersLeft }: Cutting, text: string): boolean {
  if (Buffer.byteLength(text) > bytesLeft) return false;
  // No text has more characters than UTF-16 units.
  return text.length <= charactersLeft || countOf(text) <= charactersLeft;
}

function spend<Kept>(cutting: Cutting, text: string, kept: Kept): Kept {
  cutting.bytesLeft -= Buffer.byteLength(text);
  if (cutting.duty.maxCharacters !== undefined) cutting.charactersLeft -= countOf(text);
  return kept;
}

/** Characters are code points: what is cut within one is no text. */
function countOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count += 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return count;
}

/** Cuts between characters, never within one. */
function cutText(cutting: Cutting, text: string): string {
  const { bytesLeft, charactersLeft, duty } = cutting;
  if (duty.maxBytes === undefined && duty.maxCharacters === undefined) return text;
  if (fits(cutting, text)) return spend(cutting, text, text);
  let end = 0;
  let bytes = 0;
  let characters = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    characters += 1;
    if (bytes > bytesLeft || characters > charactersLeft) break;
    end += character.length;
  }
  const kept = text.slice(0, end);
  spend(cutting, kept, kept);
  cutting.tally.changed += 1;
  return `${kept}\n[truncated by policy: ${text.length - end} of ${text.length} characters left out]`;
}

/** The lists of a text that is a JSON document. */
function cutItemsOf(cutting: Cutting, text: string): string {
  if (cutting.duty.maxItems === undefined || !/^\s{0,64}[[{]/.test(text)) return text;
  const node = readTree(text);
  if (node === undefined) return text;
  const before = cutting.tally.changed;
  const shorter = cutItems(cutting, node);
  const cuts = cutting.tally.changed - before;
  if (cuts === 0) return text;
  return `${printTree(shorter)}\n[truncated by policy: ${cuts} lists hold their first ${cutting.duty.maxItems} items]`;
}

function cutItems(cutting: Cutting, node: JsonNode): JsonNode {
  const { maxItems = endless } = cutting.duty;
  if (node.kind === "object") {
    return {
      ...node,
      members: node.members.map(([name, value]) => [name, cutItems(cutting, value)]),
    };
  }
  if (node.kind !== "array") return node;
  if (node.items.length > maxItems) cutting.tally.changed += 1;
  return { ...node, items: node.items.slice(0, maxItems).map((item) => cutItems(cutting, item)) };
}
