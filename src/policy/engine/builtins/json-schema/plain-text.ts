/**
 * One JSON text for all values that the validator in OPA holds equal: it compares numbers as doubles.
 */
import type { OpaValue } from "../../opa-value.ts";
import { compareTexts } from "../compare-opa-values.ts";

/** The text by which `const`, `enum` and `uniqueItems` compare. */
export function plainText(value: OpaValue): string {
  switch (value.kind) {
    case "null":
    case "boolean":
      return value.text;
    case "number":
      return String(Number(value.text));
    case "string":
      return JSON.stringify(value.value);
    case "array":
    case "set":
      return `[${value.items.map(plainText).join(",")}]`;
    case "object": {
      const members = value.members
        .map(([key, member]) => [plainText(key), plainText(member)] as const)
        .toSorted(([left], [right]) => compareTexts(left, right));
      return `{${members.map(([key, member]) => `${key}:${member}`).join(",")}}`;
    }
  }
}
