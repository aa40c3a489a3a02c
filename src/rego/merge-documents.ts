/**
 * One base document of several, as OPA puts the data files of a bundle together.
 */
import type { JsonObject } from "../contract/json.ts";
import { isJsonObject } from "../contract/json.ts";
import { RegoError } from "./rego-error.ts";

/**
 * Merges two objects.
 *
 * @throws RegoError `rego_invalid` for a value that both have
 */
export function mergeDocuments(left: JsonObject, right: JsonObject, where: string): JsonObject {
  const merged = new Map(Object.entries(left));
  for (const [key, value] of Object.entries(right)) {
    const other = merged.get(key);
    if (other === undefined) merged.set(key, value);
    else if (isJsonObject(other) && isJsonObject(value))
      merged.set(key, mergeDocuments(other, value, where));
    else {
      throw new RegoError(
        "rego_invalid",
        `${where}: expected each value in one file, found "${key}" in two`,
      );
    }
  }
  return Object.fromEntries(merged);
}
