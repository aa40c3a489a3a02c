/**
 * Fields of a tree that a policy hands in. A field that is not there has Go's zero value; one of
 * another type is no tree of gqlparser's.
 */
import type { OpaValue } from "../../opa-value.ts";
import { memberOf } from "../operands.ts";

export interface TreeFields {
  readonly text: (name: string) => string;
  readonly flag: (name: string) => boolean;
  readonly number: (name: string) => number;
  readonly texts: (name: string) => readonly string[];
  /** A structure; undefined where it is missing or null. */
  readonly one: (name: string) => TreeFields | undefined;
  readonly many: (name: string) => readonly TreeFields[];
}

/** @throws For a value that is no object, and later for a field of another type. */
export function fieldsOf(value: OpaValue): TreeFields {
  if (value.kind !== "object") throw notATree();
  const field = (name: string): OpaValue | undefined => {
    const found = memberOf(value, name);
    return found?.kind === "null" ? undefined : found;
  };
  const list = (name: string): readonly OpaValue[] => {
    const found = field(name) ?? { kind: "array", items: [] };
    if (found.kind !== "array") throw notATree();
    return found.items;
  };
  return {
    text: (name) => textOf(field(name) ?? { kind: "string", value: "" }),
    flag: (name) => flagOf(field(name) ?? { kind: "boolean", text: "false" }),
    number: (name) => numberOf(field(name) ?? { kind: "number", text: "0" }),
    texts: (name) => list(name).map(textOf),
    one: (name) => {
      const found = field(name);
      return found === undefined ? undefined : fieldsOf(found);
    },
    many: (name) => list(name).map(fieldsOf),
  };
}

function textOf(value: OpaValue): string {
  if (value.kind !== "string") throw notATree();
  return value.value;
}

function flagOf(value: OpaValue): boolean {
  if (value.kind !== "boolean") throw notATree();
  return value.text === "true";
}

function numberOf(value: OpaValue): number {
  if (value.kind !== "number") throw notATree();
  return Number(value.text);
}

function notATree(): Error {
  return new Error("expected a parsed document, found another value");
}
