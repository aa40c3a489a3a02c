/**
 * A configuration file as text and tree: JSON with comments and trailing commas, where every value
 * and every key still knows its place. Refuses broken syntax, duplicate keys and `__proto__`; knows
 * nothing about what the keys mean.
 */
import { parseTree, printParseErrorCode } from "jsonc-parser";
import type { Node, ParseError } from "jsonc-parser";
import { isRecord } from "../contract/json.ts";
import { findTooDeep } from "./jsonc-tokens.ts";

/** Keys and list indices from the root to a value. */
export type ConfigPath = readonly (string | number)[];

/** Something to say about one place of the file; `load-config.ts` finds line and column. */
export interface Finding {
  readonly path: ConfigPath;
  /** Point at the member's name instead of its value. */
  readonly atKey?: boolean;
  /** Point here instead, where the place has no path (syntax, second of two equal keys). */
  readonly offset?: number;
  readonly message: string;
  /** What the schema says at or below this path is a consequence and is left out. */
  readonly covers?: ConfigPath;
}

export interface ConfigDocument {
  readonly path: string;
  readonly text: string;
  readonly root: Node | undefined;
  /** True where the syntax is: the tree is then a guess and no path in it can be trusted. */
  readonly broken: boolean;
  /** Plain JSON value; of two equal keys the last one's. */
  readonly value: unknown;
}

export interface ParsedDocument {
  readonly document: ConfigDocument;
  readonly findings: readonly Finding[];
}

const depthLimit = 64;

const syntaxMessages: Readonly<Record<string, string>> = {
  InvalidSymbol: "expected a value in JSON, found something else (strings need double quotes)",
  InvalidNumberFormat: "expected a number in JSON form",
  PropertyNameExpected: "expected a key in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon after the key",
  CommaExpected: "expected a comma before this",
  CloseBraceExpected: "expected a closing }",
  CloseBracketExpected: "expected a closing ]",
  EndOfFileExpected: "expected nothing after the end of the document (was a second block pasted?)",
  UnexpectedEndOfComment: "expected the end of this comment",
  UnexpectedEndOfString: "expected the closing quote of this string",
  UnexpectedEndOfNumber: "expected the rest of this number",
  InvalidUnicode: "expected four hexadecimal digits after \\u",
  InvalidEscapeCharacter: "expected a JSON escape after the backslash",
  InvalidCharacter: "expected no control character in this string",
};

/** Parses text that is already decoded; problems are findings, never exceptions. */
export function parseConfigDocument(path: string, text: string): ParsedDocument {
  const tooDeep = findTooDeep(text, depthLimit);
  if (tooDeep !== undefined) {
    const document = { path, text, root: undefined, broken: true, value: undefined };
    const message = `expected at most ${depthLimit} levels of nesting`;
    return { document, findings: [{ path: [], offset: tooDeep, message }] };
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const value = root === undefined ? undefined : toValue(root);
  const broken = errors.length > 0;
  const findings = broken ? syntaxFindings(text, errors) : keyFindings(text, root, []);
  return { document: { path, text, root, broken, value }, findings };
}

/** The value at a path; `undefined` where there is none. */
export function valueAt(value: unknown, path: ConfigPath): unknown {
  let current = value;
  for (const segment of path) {
    if (Array.isArray(current)) current = current[Number(segment)];
    else if (isRecord(current) && Object.hasOwn(current, segment)) current = current[segment];
    else return undefined;
  }
  return current;
}

/** Ids and values of an object member by member; empty where it is none. */
export function membersOf(value: unknown, path: ConfigPath): readonly [string, unknown][] {
  const found = valueAt(value, path);
  return isRecord(found) ? Object.entries(found) : [];
}

/** Offset in the text of what a finding points at; of the nearest parent where that is missing. */
export function offsetOf(document: ConfigDocument, finding: Finding): number {
  if (finding.offset !== undefined) return finding.offset;
  let node = document.root;
  for (const segment of finding.path) {
    const next = childOf(node, segment);
    if (next === undefined) break;
    node = next;
  }
  return finding.atKey === true ? keyOffsetOf(node) : (node?.offset ?? 0);
}

/** Line and column, both from 1. */
export function positionAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return {
    line: before.split("\n").length,
    column: offset - (before.lastIndexOf("\n") + 1) + 1,
  };
}

/** Visits every string, number, boolean and null of the tree. */
export function visitLeaves(
  node: Node | undefined,
  path: ConfigPath,
  visit: (leaf: Node, path: ConfigPath) => void,
): void {
  if (node === undefined) return;
  if (node.type === "object") {
    for (const property of node.children ?? []) {
      visitLeaves(property.children?.[1], [...path, keyOf(property)], visit);
    }
  } else if (node.type === "array") {
    for (const [index, item] of (node.children ?? []).entries()) {
      visitLeaves(item, [...path, index], visit);
    }
  } else visit(node, path);
}

function syntaxFindings(text: string, errors: readonly ParseError[]): readonly Finding[] {
  if (text.trim() === "") {
    return [{ path: [], offset: 0, message: "expected a JSON object, found an empty file" }];
  }
  const firstOfLine = new Map<number, Finding>();
  for (const { error, offset } of errors) {
    const { line } = positionAt(text, offset);
    const message = syntaxMessages[printParseErrorCode(error)] ?? "expected valid JSON";
    if (!firstOfLine.has(line)) firstOfLine.set(line, { path: [], offset, message });
  }
  return [...firstOfLine.values()];
}

function keyFindings(text: string, node: Node | undefined, path: ConfigPath): readonly Finding[] {
  if (node?.type === "array") {
    return (node.children ?? []).flatMap((item, index) =>
      keyFindings(text, item, [...path, index]),
    );
  }
  if (node?.type !== "object") return [];
  const seen = new Map<string, number>();
  return (node.children ?? []).flatMap((property) => {
    const key = keyOf(property);
    const first = seen.get(key);
    seen.set(key, first ?? property.offset);
    const below = keyFindings(text, property.children?.[1], [...path, key]);
    const message = keyMessage(text, key, first, path);
    if (message === undefined) return below;
    return [{ path: [...path, key], offset: property.offset, message }, ...below];
  });
}

function keyMessage(
  text: string,
  key: string,
  firstOffset: number | undefined,
  path: ConfigPath,
): string | undefined {
  if (key === "__proto__") return `expected another name than "__proto__"`;
  if (firstOffset === undefined) return undefined;
  const { line } = positionAt(text, firstOffset);
  return `duplicate key ${JSON.stringify(key)} ${placeName(path)}; it was first given in line ${line}`;
}

/** How messages name an object: `in servers.crm`, `at the top level`. */
export function placeName(path: ConfigPath): string {
  return path.length === 0 ? "at the top level" : `in ${path.join(".")}`;
}

function toValue(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(toValue);
  if (node.type !== "object") return node.value;
  return Object.fromEntries(
    (node.children ?? []).flatMap((property) => {
      const value = property.children?.[1];
      return value === undefined ? [] : [[keyOf(property), toValue(value)]];
    }),
  );
}

function childOf(node: Node | undefined, segment: string | number): Node | undefined {
  if (node?.type === "array") return node.children?.[Number(segment)];
  if (node?.type !== "object") return undefined;
  return node.children?.findLast((property) => keyOf(property) === segment)?.children?.[1];
}

function keyOf(property: Node): string {
  return String(property.children?.[0]?.value);
}

function keyOffsetOf(node: Node | undefined): number {
  return node?.parent?.type === "property" ? node.parent.offset : (node?.offset ?? 0);
}
