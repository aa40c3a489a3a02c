/**
 * Values as OPA prints them: members of sets and keys of objects in OPA's order, strings in Go's
 * quotes.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";
import { goQuote } from "./go-quote.ts";

const kinds = ["null", "boolean", "number", "string", "array", "object", "set"];
const wholeNumber = /^-?\d+$/u;

/** The text that `sprintf("%v", …)` and messages show. */
export function printOpaValue(value: OpaValue): string {
  switch (value.kind) {
    case "null":
    case "boolean":
    case "number":
      return value.text;
    case "string":
      return goQuote(value.value);
    case "array":
      return `[${value.items.map(printOpaValue).join(", ")}]`;
    case "set":
      return value.items.length === 0
        ? "set()"
        : `{${value.items.toSorted(compare).map(printOpaValue).join(", ")}}`;
    case "object":
      return `{${value.members.toSorted(compareMembers).map(printMember).join(", ")}}`;
  }
}

function printMember([key, value]: OpaMember): string {
  return `${printOpaValue(key)}: ${printOpaValue(value)}`;
}

/** OPA's order of values: by kind, then by value. Fractions are compared as doubles. */
function compare(left: OpaValue, right: OpaValue): number {
  if (left.kind === "number" && right.kind === "number") {
    return compareNumbers(left.text, right.text);
  }
  if (left.kind === "string" && right.kind === "string") {
    return Buffer.compare(Buffer.from(left.value), Buffer.from(right.value));
  }
  if (left.kind === "boolean" && right.kind === "boolean") {
    return Number(left.text === "true") - Number(right.text === "true");
  }
  if (left.kind === "array" && right.kind === "array") {
    return compareAll(left.items, right.items, compare);
  }
  if (left.kind === "set" && right.kind === "set") {
    return compareAll(left.items.toSorted(compare), right.items.toSorted(compare), compare);
  }
  if (left.kind === "object" && right.kind === "object") {
    const [ours, theirs] = [left, right].map(({ members }) => members.toSorted(compareMembers));
    return compareAll(ours ?? [], theirs ?? [], compareMembers);
  }
  return kinds.indexOf(left.kind) - kinds.indexOf(right.kind);
}

function compareMembers(left: OpaMember, right: OpaMember): number {
  return compare(left[0], right[0]) || compare(left[1], right[1]);
}

function compareAll<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compareItems: (left: Item, right: Item) => number,
): number {
  for (const [place, item] of left.entries()) {
    const other = right[place];
    if (other === undefined) return 1;
    const order = compareItems(item, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareNumbers(left: string, right: string): number {
  if (!wholeNumber.test(left) || !wholeNumber.test(right)) return Number(left) - Number(right);
  const difference = BigInt(left) - BigInt(right);
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}
