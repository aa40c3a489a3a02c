/**
 * Why a tool's input schema cannot be used to check arguments. A schema comes from an upstream
 * server: what is not understood in it is never skipped, since a check that was left out looks like
 * one that was passed.
 */
import type { Json, JsonObject } from "../../../contract/json.ts";
import { isJsonObject } from "../../../contract/json.ts";
import { GatewayError } from "../../../errors.ts";

export type SchemaErrorCode = "schema_unusable";

/** A schema that the gateway does not understand. */
export class SchemaError extends GatewayError<SchemaErrorCode> {}

/** Makes the error; `found` and `expected` name keywords, never what they hold. */
export function unusable(message: string): SchemaError {
  return new SchemaError("schema_unusable", message);
}

/** The value of a keyword that has to be an object. */
export function objectOf(value: Json, keyword: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw unusable(`expected an object as "${keyword}"`);
}

/** The value of a keyword that has to be a list. */
export function listOf(value: Json, keyword: string): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw unusable(`expected a list as "${keyword}"`);
}

/** The value of a keyword that has to be a list of strings. */
export function namesOf(value: Json, keyword: string): readonly string[] {
  return listOf(value, keyword).map((name) => textOf(name, keyword));
}

/** The value of a keyword that has to be a string. */
export function textOf(value: Json, keyword: string): string {
  if (typeof value === "string") return value;
  throw unusable(`expected a string as "${keyword}"`);
}

/** The value of a keyword that has to be a number. */
export function numberOf(value: Json, keyword: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw unusable(`expected a number as "${keyword}"`);
}

/** The value of a keyword that has to be a count. */
export function countOf(value: Json, keyword: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw unusable(`expected an integer of at least 0 as "${keyword}"`);
}

/**
 * The value of a keyword that has to be a regular expression. Where it is none in ECMAScript's
 * Unicode mode, which JSON Schema recommends, it is read in the mode that allows needless escapes.
 */
export function patternOf(value: Json, keyword: string): RegExp {
  const source = textOf(value, keyword);
  return tryPattern(source, "u") ?? tryPattern(source, "") ?? failPattern(keyword);
}

function tryPattern(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

function failPattern(keyword: string): never {
  throw unusable(`expected an ECMAScript regular expression in "${keyword}"`);
}
