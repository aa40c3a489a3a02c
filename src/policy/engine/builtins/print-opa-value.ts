/**
 * Values as OPA prints them: members of sets and keys of objects in OPA's order, strings in Go's
 * quotes.
 */
import type { OpaMember, OpaValue } from "../opa-value.ts";
import { sortedItems, sortedMembers } from "./compare-opa-values.ts";
import { goQuote } from "./go-quote.ts";

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
        : `{${sortedItems(value.items).map(printOpaValue).join(", ")}}`;
    case "object":
      return `{${sortedMembers(value.members).map(printMember).join(", ")}}`;
  }
}

function printMember([key, value]: OpaMember): string {
  return `${printOpaValue(key)}: ${printOpaValue(value)}`;
}
