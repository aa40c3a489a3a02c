/**
 * A compiled JSON Schema: one closure for each keyword, which tells what in a value breaks it. Types
 * and words of the failures are those of the validator in OPA.
 */
import type { OpaValue } from "../../opa-value.ts";

export interface Failure {
  readonly type: string;
  /** `(root)` or the way to the value, `address.0.street`. */
  readonly field: string;
  readonly description: string;
}

/** Where checking is, and who hears what failed. */
export interface Visit {
  readonly field: string;
  readonly depth: number;
  readonly failures: Failure[];
}

export type Check = (value: OpaValue, visit: Visit) => void;

export interface SchemaNode {
  /** Filled while the schema is compiled, so that a schema may refer to itself. */
  readonly checks: Check[];
}

/** A schema that refers to itself without end is not followed for ever. */
const maxDepth = 1000;

export const rootField = "(root)";

/** Checks a value against all keywords of a schema; each adds what it finds. */
export function checkAll({ checks }: SchemaNode, value: OpaValue, visit: Visit): void {
  if (visit.depth > maxDepth) throw new Error("expected a json schema with an end, found a loop");
  const before = visit.failures.length;
  const inside = { ...visit, depth: visit.depth + 1 };
  for (const [place, check] of checks.entries()) {
    check(value, inside);
    // The first keyword is the type; nothing else is said of a value of another type.
    if (place === 0 && visit.failures.length > before) return;
  }
}

/** Checks a member or element. */
export function checkMember(
  node: SchemaNode,
  value: OpaValue,
  name: string | number,
  visit: Visit,
): void {
  const field = visit.field === rootField ? String(name) : `${visit.field}.${name}`;
  checkAll(node, value, { ...visit, field });
}

/** What fails, told to nobody else. */
export function failuresOf(node: SchemaNode, value: OpaValue, visit: Visit): readonly Failure[] {
  const failures: Failure[] = [];
  checkAll(node, value, { ...visit, failures });
  return failures;
}

export function isValid(node: SchemaNode, value: OpaValue, visit: Visit): boolean {
  return failuresOf(node, value, visit).length === 0;
}

export function fail({ failures, field }: Visit, type: string, description: string): void {
  failures.push({ type, field, description });
}
