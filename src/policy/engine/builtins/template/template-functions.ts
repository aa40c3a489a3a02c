/**
 * The functions that every template has, but for `and` and `or`, which do not evaluate all of their
 * operands.
 */
import { compareTexts } from "../compare-opa-values.ts";
import { goFormat } from "../go-format.ts";
import type { GoOperand } from "../go-operand.ts";
import { isPrintable } from "../go-quote.ts";
import { escapeQuery } from "../percent-encoding.ts";
import { fault, isTrue, none, printValue } from "./template-value.ts";
import type { TemplateValue } from "./template-value.ts";

export type TemplateFunction = (...operands: readonly TemplateValue[]) => TemplateValue;

/** By name. */
export const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map([
  ["eq", equals],
  ["ge", (left: TemplateValue, right: TemplateValue) => not(isLess(left, right))],
  ["gt", (left: TemplateValue, right: TemplateValue) => not(isAtMost(left, right))],
  ["html", (...all: readonly TemplateValue[]) => text(escapeHtml(print(all)))],
  ["index", indexOf],
  ["js", (...all: readonly TemplateValue[]) => text(escapeJs(print(all)))],
  ["le", isAtMost],
  ["len", lengthOf],
  ["lt", isLess],
  ["ne", (left: TemplateValue, right: TemplateValue) => not(equals(left, right))],
  ["not", not],
  ["print", (...all: readonly TemplateValue[]) => text(print(all, true))],
  ["printf", printf],
  [
    "println",
    (...all: readonly TemplateValue[]) =>
      text(`${all.map((each) => printValue(each, true)).join(" ")}\n`),
  ],
  ["slice", slice],
  ["urlquery", (...all: readonly TemplateValue[]) => text(escapeQuery(print(all)))],
]);

/** How many operands a function takes: from, to. */
export const operandCounts: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["eq", [1, Infinity]],
  ["ge", [2, 2]],
  ["gt", [2, 2]],
  ["index", [1, Infinity]],
  ["le", [2, 2]],
  ["len", [1, 1]],
  ["lt", [2, 2]],
  ["ne", [2, 2]],
  ["not", [1, 1]],
  ["printf", [1, Infinity]],
  ["slice", [1, 4]],
]);

function equals(first: TemplateValue = none, ...others: readonly TemplateValue[]): TemplateValue {
  if (others.length === 0) throw fault("missing argument for comparison");
  return { kind: "boolean", value: others.some((other) => isEqual(first, other)) };
}

function isEqual(left: TemplateValue, right: TemplateValue): boolean {
  const [hasLeft, hasRight] = [isThere(left), isThere(right)];
  if (!hasLeft || !hasRight) return hasLeft === hasRight;
  if (left.kind !== right.kind) throw fault("incompatible types for comparison");
  if (!("value" in left) || !("value" in right)) throw fault("non-comparable type");
  return left.value === right.value;
}

function isThere({ kind }: TemplateValue): boolean {
  return kind !== "none" && kind !== "null";
}

function isLess(left: TemplateValue = none, right: TemplateValue = none): TemplateValue {
  return { kind: "boolean", value: order(left, right) < 0 };
}

function isAtMost(left: TemplateValue = none, right: TemplateValue = none): TemplateValue {
  return { kind: "boolean", value: order(left, right) <= 0 };
}

function order(left: TemplateValue, right: TemplateValue): number {
  if (left.kind === "string" && right.kind === "string") {
    return compareTexts(left.value, right.value);
  }
  if (left.kind === "integer" && right.kind === "integer") {
    return left.value < right.value ? -1 : Number(left.value > right.value);
  }
  if (left.kind === "float" && right.kind === "float") return left.value - right.value;
  throw fault("invalid type for comparison");
}

function not(value: TemplateValue = none): TemplateValue {
  return { kind: "boolean", value: !isTrue(value) };
}

function lengthOf(value: TemplateValue = none): TemplateValue {
  switch (value.kind) {
    case "string":
      return { kind: "integer", value: BigInt(Buffer.byteLength(value.value)) };
    case "list":
      return { kind: "integer", value: BigInt(value.items.length) };
    case "map":
      return { kind: "integer", value: BigInt(value.members.size) };
    case "none":
    case "null":
    case "boolean":
    case "integer":
    case "float":
      throw fault("len of a value without length");
  }
}

function indexOf(first: TemplateValue = none, ...indexes: readonly TemplateValue[]): TemplateValue {
  if (!isThere(first)) throw fault("index of untyped nil");
  return indexes.reduce(memberAt, first);
}

function memberAt(value: TemplateValue, index: TemplateValue): TemplateValue {
  if (value.kind === "map") {
    if (index.kind !== "string") throw fault("value has a type that is no key");
    return value.members.get(index.value) ?? { kind: "null" };
  }
  if (value.kind === "string") {
    const bytes = Buffer.from(value.value);
    return { kind: "integer", value: BigInt(bytes[placeIn(bytes.length - 1, index)] ?? 0) };
  }
  if (value.kind !== "list") throw fault("can't index item");
  return value.items[placeIn(value.items.length - 1, index)] ?? none;
}

function placeIn(last: number, index: TemplateValue): number {
  if (index.kind !== "integer" || index.value < 0n || index.value > last) {
    throw fault("index out of range");
  }
  return Number(index.value);
}

function slice(value: TemplateValue = none, ...ends: readonly TemplateValue[]): TemplateValue {
  const isText = value.kind === "string";
  if (!isText && value.kind !== "list") throw fault("can't slice item");
  if (isText && ends.length > 2) throw fault("cannot 3-index slice a string");
  const bytes = isText ? Buffer.from(value.value) : undefined;
  const length = bytes?.length ?? (value.kind === "list" ? value.items.length : 0);
  const [from = 0, to = length, limit = to] = ends.map((end) => placeIn(length, end));
  if (from > to || to > limit) throw fault("invalid slice index");
  if (bytes !== undefined) return text(bytes.subarray(from, to).toString());
  return { kind: "list", items: value.kind === "list" ? value.items.slice(from, to) : [] };
}

function printf(format: TemplateValue = none, ...operands: readonly TemplateValue[]) {
  if (format.kind !== "string") throw fault("wrong type for value; expected string");
  return text(goFormat(format.value, operands.map(toGo)));
}

function toGo(value: TemplateValue): GoOperand {
  if (value.kind === "integer") return { type: "int64", value: value.value };
  if (value.kind === "float") return { type: "float64", value: value.value };
  return { type: "string", value: printValue(value, true) };
}

/** Spaces stand between operands of which neither is a string. */
function print(operands: readonly TemplateValue[], isNilNamed = false): string {
  return operands
    .map((operand, place) => {
      const before = operands[place - 1];
      const isApart = before !== undefined && before.kind !== "string" && operand.kind !== "string";
      return (isApart ? " " : "") + printValue(operand, isNilNamed);
    })
    .join("");
}

function text(value: string): TemplateValue {
  return { kind: "string", value };
}

const htmlNames = new Map([
  ["\u0000", "\uFFFD"],
  ['"', "&#34;"],
  ["'", "&#39;"],
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
]);

function escapeHtml(plain: string): string {
  return plain.replace(/[\u0000"'&<>]/g, (character) => htmlNames.get(character) ?? character);
}

function escapeJs(plain: string): string {
  return Array.from(plain, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (["\\", "'", '"'].includes(character)) return `\\${character}`;
    const isSpecial = code < 0x20 || "<>&=".includes(character);
    if (!isSpecial && (code < 0x80 || isPrintable(character))) return character;
    return `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }).join("");
}
