/**
 * The tokens of a JSONC text, also of a broken one: what the tree of a parser does not keep. Used
 * to measure nesting before the recursive parser runs, and to print a line without its secrets.
 */
import { createScanner } from "jsonc-parser";

export type JsoncTokenKind =
  | "open"
  | "close"
  | "punctuation"
  | "key"
  | "string"
  | "number"
  | "keyword"
  | "comment"
  | "space"
  | "unknown";

export interface JsoncToken {
  readonly kind: JsoncTokenKind;
  readonly offset: number;
  readonly length: number;
}

/** The scanner's own numbers, in their order from 1. */
const kinds: readonly JsoncTokenKind[] = [
  "open",
  "close",
  "open",
  "close",
  "punctuation",
  "punctuation",
  "keyword",
  "keyword",
  "keyword",
  "string",
  "number",
  "comment",
  "comment",
  "space",
  "space",
  "unknown",
];

/**
 * All tokens in order, without gaps. A string is a `key` only where a member's name can stand: in
 * an object, after `{` or a comma, before a colon.
 */
export function tokensOf(text: string): readonly JsoncToken[] {
  const tokens = scanAll(text);
  const open: string[] = [];
  let previous = "";
  return tokens.map((token, index) => {
    if (token.kind === "space" || token.kind === "comment") return token;
    const first = text[token.offset] ?? "";
    const startsMember = open.at(-1) === "{" && (previous === "{" || previous === ",");
    if (token.kind === "open") open.push(first);
    if (token.kind === "close") open.pop();
    previous = first;
    const isKey = token.kind === "string" && startsMember && isBeforeColon(text, tokens, index);
    return isKey ? { ...token, kind: "key" } : token;
  });
}

/** Offset of the first bracket that opens a level beyond `limit`. */
export function findTooDeep(text: string, limit: number): number | undefined {
  let depth = 0;
  for (const { kind, offset } of tokensOf(text)) {
    if (kind === "open") depth += 1;
    if (kind === "close") depth -= 1;
    if (depth > limit) return offset;
  }
  return undefined;
}

function scanAll(text: string): readonly JsoncToken[] {
  const scanner = createScanner(text, false);
  const tokens: JsoncToken[] = [];
  for (;;) {
    const kind = kinds[scanner.scan() - 1];
    if (kind === undefined) return tokens;
    tokens.push({ kind, offset: scanner.getTokenOffset(), length: scanner.getTokenLength() });
  }
}

function isBeforeColon(text: string, tokens: readonly JsoncToken[], index: number): boolean {
  let next = index + 1;
  while (tokens[next]?.kind === "space" || tokens[next]?.kind === "comment") next += 1;
  const token = tokens[next];
  return token !== undefined && text[token.offset] === ":";
}
