/**
 * Strict reading of what a policy answered. Each reader takes a value and where it stands, and
 * throws a `ShapeError` that says what was expected there; only `readLayerOutput` catches it, and
 * makes a failed layer of it.
 */
import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { Json, JsonObject } from "../../contract/json.ts";

export class ShapeError extends GatewayError<"policy_error"> {}

/** What stands at a place in a policy's answer; undefined where it says nothing. */
export type Answered = Json | undefined;

/** A shape that nobody expected there. The value itself is never in the message. */
export function unexpected(where: string, expected: string, found: Answered): ShapeError {
  return new ShapeError("policy_error", `${where}: expected ${expected}, found ${nameOf(found)}`);
}

/** An object; with `known`, one that has no other members. */
export function readObject(
  value: Answered,
  where: string,
  known?: ReadonlySet<string>,
): JsonObject {
  if (!isJsonObject(value)) throw unexpected(where, "an object", value);
  const stranger = known && Object.keys(value).find((name) => !known.has(name));
  if (stranger === undefined) return value;
  throw new ShapeError(
    "policy_error",
    `${where}: expected members ${[...(known ?? [])].join(", ")}, found another`,
  );
}

/** An array; absent is empty. */
export function readArray<Item>(
  value: Answered,
  where: string,
  readItem: (item: Json, where: string) => Item,
): readonly Item[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw unexpected(where, "a set or an array", value);
  const items: readonly Json[] = value;
  return items.map((item, index) => readItem(item, `${where}[${index}]`));
}

/** A string with something in it. */
export function readString(value: Answered, where: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw unexpected(where, "a string that is not empty", value);
}

/** A string, or nothing. */
export function readOptionalString(value: Answered, where: string): string | undefined {
  return value === undefined ? undefined : readString(value, where);
}

/** A boolean; absent is false. */
export function readFlag(value: Answered, where: string): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw unexpected(where, "true or false", value);
}

/** Strings; absent is none. */
export function readStrings(value: Answered, where: string): readonly string[] {
  return readArray(value, where, readString);
}

function nameOf(value: Answered): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (value === "") return "an empty string";
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}
