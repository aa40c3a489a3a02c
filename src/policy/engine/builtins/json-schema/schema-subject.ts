/**
 * What the reading of one keyword may ask for, and readers of the values that keywords have. A
 * schema with a value of another type is no schema.
 */
import type { OpaValue } from "../../opa-value.ts";
import { unusable } from "../../schema/schema-error.ts";
import type { Decimal } from "../decimal.ts";
import { readDecimal, wholeValue } from "../decimal.ts";
import type { Check, SchemaNode } from "./schema-check.ts";

export interface Subject {
  /** The value of another keyword of the same schema. */
  readonly get: (keyword: string) => OpaValue | undefined;
  readonly compile: (schema: OpaValue) => SchemaNode;
}

/** Reads a keyword's value; undefined where it checks nothing. */
export type Keyword = (value: OpaValue, subject: Subject, name: string) => Check | undefined;

/** Members of an object by their names. */
export function membersOf(value: OpaValue): ReadonlyMap<string, OpaValue> {
  if (value.kind !== "object") return new Map();
  return new Map(
    value.members.flatMap(([key, member]) => (key.kind === "string" ? [[key.value, member]] : [])),
  );
}

export function textIn(value: OpaValue, name: string): string {
  if (value.kind === "string") return value.value;
  throw unusable(`Invalid type. Expected: string, given: ${name}`);
}

export function textsIn(value: OpaValue, name: string): readonly string[] {
  return listIn(value, name).map((item) => textIn(item, name));
}

export function listIn(value: OpaValue, name: string): readonly OpaValue[] {
  if (value.kind === "array") return value.items;
  throw unusable(`${name} must be of an array`);
}

export function objectIn(value: OpaValue, name: string): ReadonlyMap<string, OpaValue> {
  if (value.kind === "object") return membersOf(value);
  throw unusable(`${name} must be of type object`);
}

export function numberIn(value: OpaValue, name: string): Decimal {
  if (value.kind === "number") return readDecimal(value.text);
  throw unusable(`${name} must be of a number`);
}

export function booleanIn(value: OpaValue, name: string): boolean {
  if (value.kind === "boolean") return value.text === "true";
  throw unusable(`${name} must be of a boolean`);
}

export function countIn(value: OpaValue, name: string): number {
  const isPlain = value.kind === "number" && /^-?\d+$/.test(value.text);
  const count = isPlain ? wholeValue(readDecimal(value.text)) : undefined;
  if (count === undefined) throw unusable(`${name} must be of an integer`);
  if (count < 0n) throw unusable(`${name} must be greater than or equal to 0`);
  return Number(count);
}

/** A schema: an object, true or false. */
export function schemaIn(value: OpaValue, name: string): OpaValue {
  if (value.kind === "object" || value.kind === "boolean") return value;
  throw unusable(`Invalid type. Expected: valid schema, given: ${name}`);
}
