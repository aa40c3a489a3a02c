/**
 * Values inside of a template. What comes out of JSON has the types that OPA gives it there: a number
 * is a string of digits of a type of its own.
 */
import type { OpaValue } from "../../opa-value.ts";
import { compareTexts } from "../compare-opa-values.ts";
import { sortedItems } from "../compare-opa-values.ts";
import { formatMagnitude } from "../go-float.ts";
import { marshalGoJson } from "../go-json.ts";

export type TemplateValue =
  /** No value: a member that is not there. */
  | { readonly kind: "none" }
  | { readonly kind: "null" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "list"; readonly items: readonly TemplateValue[] }
  /** In the order of the keys. */
  | { readonly kind: "map"; readonly members: ReadonlyMap<string, TemplateValue> };

export const none: TemplateValue = { kind: "none" };

/** What a template cannot do; OPA reports an error, and the rule is undefined. */
export function fault(message: string): SyntaxError {
  return new SyntaxError(message);
}

/** A value of the policy. */
export function fromOpa(value: OpaValue): TemplateValue {
  switch (value.kind) {
    case "null":
      return { kind: "null" };
    case "boolean":
      return { kind: "boolean", value: value.text === "true" };
    case "number":
      return { kind: "string", value: value.text };
    case "string":
      return value;
    case "array":
      return { kind: "list", items: value.items.map(fromOpa) };
    case "set":
      return { kind: "list", items: sortedItems(value.items).map(fromOpa) };
    case "object": {
      const members = value.members
        .map(([key, member]) => [keyOf(key), fromOpa(member)] as const)
        .toSorted(([left], [right]) => compareTexts(left, right));
      return { kind: "map", members: new Map(members) };
    }
  }
}

function keyOf(key: OpaValue): string {
  return key.kind === "string" ? key.value : marshalGoJson(key);
}

/** What `if` and `not` take for true: anything but nothing, false, 0 and what is empty. */
export function isTrue(value: TemplateValue): boolean {
  switch (value.kind) {
    case "none":
    case "null":
      return false;
    case "boolean":
      return value.value;
    case "string":
      return value.value !== "";
    case "integer":
      return value.value !== 0n;
    case "float":
      return value.value !== 0;
    case "list":
      return value.items.length > 0;
    case "map":
      return value.members.size > 0;
  }
}

/** As Go prints a value; one that is not there is `<no value>`, and inside of others `<nil>`. */
export function printValue(value: TemplateValue, isInside = false): string {
  switch (value.kind) {
    case "none":
    case "null":
      return isInside ? "<nil>" : "<no value>";
    case "boolean":
    case "string":
    case "integer":
      return String(value.value);
    case "float":
      return printFloat(value.value);
    case "list":
      return `[${value.items.map((item) => printValue(item, true)).join(" ")}]`;
    case "map": {
      const members = [...value.members].map(
        ([key, member]) => `${key}:${printValue(member, true)}`,
      );
      return `map[${members.join(" ")}]`;
    }
  }
}

function printFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  // `%v` changes to exponents at 21 digits, where `%g` does so at 6.
  const isPlain = size === 0 || (size >= 1e-4 && size < 1e21);
  return sign + (isPlain ? String(size) : formatMagnitude(size, "g", -1));
}
