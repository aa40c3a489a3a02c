/**
 * OPA's order of values: by kind, then by value. Numbers are compared exactly, strings by their
 * UTF-8 bytes.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";
import { compareDecimals, readDecimal } from "./decimal.ts";

const kinds = ["null", "boolean", "number", "string", "array", "object", "set"];

/** Negative, 0 or positive; 0 is OPA's equality. */
export function compareOpaValues(left: OpaValue, right: OpaValue): number {
  if (left.kind === "number" && right.kind === "number") {
    if (left.text === right.text) return 0;
    return compareDecimals(readDecimal(left.text), readDecimal(right.text));
  }
  if (left.kind === "string" && right.kind === "string") {
    return compareTexts(left.value, right.value);
  }
  if (left.kind === "boolean" && right.kind === "boolean") {
    return Number(left.text === "true") - Number(right.text === "true");
  }
  if (left.kind === "array" && right.kind === "array") {
    return compareAll(left.items, right.items, compareOpaValues);
  }
  if (left.kind === "set" && right.kind === "set") {
    return compareAll(sortedItems(left.items), sortedItems(right.items), compareOpaValues);
  }
  if (left.kind === "object" && right.kind === "object") {
    return compareAll(sortedMembers(left.members), sortedMembers(right.members), compareMembers);
  }
  return kinds.indexOf(left.kind) - kinds.indexOf(right.kind);
}

/** The order of two strings: that of their UTF-8 bytes, which is that of their characters. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Members of a set in OPA's order. */
export function sortedItems(items: readonly OpaValue[]): readonly OpaValue[] {
  return items.toSorted(compareOpaValues);
}

/** Members of an object in the order of their keys. */
export function sortedMembers(members: readonly OpaMember[]): readonly OpaMember[] {
  return members.toSorted(compareMembers);
}

function compareMembers(left: OpaMember, right: OpaMember): number {
  return compareOpaValues(left[0], right[0]) || compareOpaValues(left[1], right[1]);
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
