/**
 * What a JSON Schema sees: values as JSON has them.
 */
import type { OpaValue } from "../../opa-value.ts";
import { sortedItems } from "../compare-opa-values.ts";
import { marshalGoJson } from "../go-json.ts";

/** A value without sets, which are sorted lists in JSON, and with strings for keys. */
export function asJson(value: OpaValue): OpaValue {
  switch (value.kind) {
    case "null":
    case "boolean":
    case "number":
    case "string":
      return value;
    case "array":
      return { kind: "array", items: value.items.map(asJson) };
    case "set":
      return { kind: "array", items: sortedItems(value.items).map(asJson) };
    case "object":
      return {
        kind: "object",
        members: value.members.map(([key, member]) => [
          { kind: "string", value: key.kind === "string" ? key.value : marshalGoJson(key) },
          asJson(member),
        ]),
      };
  }
}
