/**
 * One text for all values that OPA holds equal: `1` and `1.0`, and a set in any order. For looking
 * values up.
 */
import type { OpaValue } from "../opa-value.ts";
import { sortedItems, sortedMembers } from "./compare-opa-values.ts";
import { readDecimal } from "./decimal.ts";

/** Equal for equal values, and different for different ones. */
export function canonicalText(value: OpaValue): string {
  switch (value.kind) {
    case "null":
    case "boolean":
      return value.text;
    case "number": {
      const { mantissa, exponent } = readDecimal(value.text);
      return `${mantissa}e${exponent}`;
    }
    case "string":
      return JSON.stringify(value.value);
    case "array":
      return `[${value.items.map(canonicalText).join(",")}]`;
    case "set":
      return `set(${sortedItems(value.items).map(canonicalText).join(",")})`;
    case "object": {
      const members = sortedMembers(value.members).map(
        ([key, member]) => `${canonicalText(key)}:${canonicalText(member)}`,
      );
      return `{${members.join(",")}}`;
    }
  }
}
