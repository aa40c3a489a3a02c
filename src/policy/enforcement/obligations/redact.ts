/**
 * The obligation `redact`: takes what it names out of texts, and out of the names, strings and
 * numbers of JSON documents, those inside texts included.
 */
import type { Editor, Tally } from "./editor.ts";
import type { JsonMember, JsonNode } from "./json-tree.ts";
import { printTree, readTree, stringNode } from "./json-tree.ts";
import type { FindKinds, RedactDuty } from "./obligation.ts";
import { redactText } from "./redact-text.ts";

interface Redaction {
  readonly duty: RedactDuty;
  readonly tally: Tally;
  /** Names are few and stand there often. */
  readonly cleanNames: Set<string>;
  readonly clean: (text: string, name: string | undefined) => string;
}

/** Texts inside texts are opened so many times. */
const maxNesting = 4;

/** The obligation at work on one message. */
export function redactEditor(duty: RedactDuty, find: FindKinds): Editor {
  const tally: Tally = { changed: 0, problem: undefined };
  const clean = (text: string, name: string | undefined): string => {
    const cleaned = redactText(text, name, duty, find);
    if (cleaned !== text) tally.changed += 1;
    return cleaned;
  };
  const redaction = { duty, tally, clean, cleanNames: new Set<string>() };
  const names = duty.kinds.length + duty.literals.length + duty.patterns.length;
  return {
    tally,
    prose: (text, name) => cleanText(redaction, text, name, 0),
    document: (node) => cleanDocument(redaction, node, 0),
    uri: (text) => {
      if (redactText(text, undefined, duty, find) === text) return text;
      tally.changed += 1;
      return "redacted:removed";
    },
    forbids: (text) => names > 0 && redactText(text, undefined, duty, find) !== text,
    binary: () => `[withheld by policy: "${duty.id}" cannot look into this content]`,
  };
}

/** What is JSON is cleaned as such, decoded; then the whole as it is written. */
function cleanText(
  redaction: Redaction,
  text: string,
  name: string | undefined,
  nesting: number,
): string {
  const inner = nesting < maxNesting ? documentIn(text) : undefined;
  if (inner === undefined) return redaction.clean(text, name);
  const before = redaction.tally.changed;
  const cleaned = cleanDocument(redaction, inner, nesting + 1);
  const shown = redaction.tally.changed === before ? text : printTree(cleaned);
  return redaction.clean(shown, name);
}

function documentIn(text: string): JsonNode | undefined {
  return /^\s{0,64}[[{"]/.test(text) ? readTree(text) : undefined;
}

function cleanDocument(redaction: Redaction, node: JsonNode, nesting: number): JsonNode {
  const pointed = redaction.duty.pointers.reduce(
    (tree, pointer) => cleanPointed(redaction, tree, pointer),
    node,
  );
  return cleanNode(redaction, pointed, undefined, nesting);
}

function cleanNode(
  redaction: Redaction,
  node: JsonNode,
  name: string | undefined,
  nesting: number,
): JsonNode {
  switch (node.kind) {
    case "string": {
      const cleaned = cleanText(redaction, node.value, name, nesting);
      return cleaned === node.value ? node : stringNode(cleaned);
    }
    case "word": {
      const cleaned = redaction.clean(node.text, name);
      return cleaned === node.text ? node : stringNode(redaction.duty.replacement);
    }
    case "array":
      return {
        ...node,
        items: node.items.map((item) => cleanNode(redaction, item, name, nesting)),
      };
    case "object":
      return {
        ...node,
        members: node.members.map((member) => cleanMember(redaction, member, nesting)),
      };
  }
}

function cleanMember(redaction: Redaction, [name, value]: JsonMember, nesting: number): JsonMember {
  if (redaction.cleanNames.has(name)) return [name, cleanNode(redaction, value, name, nesting)];
  const before = redaction.tally.changed;
  const cleaned = redaction.clean(name, undefined);
  if (cleaned === name) redaction.cleanNames.add(name);
  // Two names may become one; a number keeps them apart.
  const shown = cleaned === name ? name : `${cleaned} ${before + 1}`;
  return [shown, cleanNode(redaction, value, name, nesting)];
}

function cleanPointed(redaction: Redaction, node: JsonNode, path: readonly string[]): JsonNode {
  const [part, ...rest] = path;
  if (part === undefined) {
    redaction.tally.changed += 1;
    return stringNode(redaction.duty.replacement);
  }
  const step = (key: string, value: JsonNode): JsonNode =>
    key === part ? cleanPointed(redaction, value, rest) : value;
  if (node.kind === "array") {
    return { ...node, items: node.items.map((item, index) => step(String(index), item)) };
  }
  if (node.kind !== "object") return node;
  return { ...node, members: node.members.map(([key, value]) => [key, step(key, value)]) };
}
