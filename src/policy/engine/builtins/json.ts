/**
 * `json.patch` and `json.marshal_with_options`.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compareOpaValues } from "./compare-opa-values.ts";
import { addAt, findAt, readPath, removeAt, sizeOf } from "./edit-value.ts";
import type { Path } from "./edit-value.ts";
import type { Indentation } from "./go-json.ts";
import { marshalGoJson } from "./go-json.ts";
import { memberOf, textOf } from "./operands.ts";
import { writeText, writeValue } from "./values.ts";

interface Operation {
  readonly op: string;
  readonly path: Path;
  readonly value: OpaValue | undefined;
  readonly from: Path | undefined;
}

/** Copying a value into itself doubles it: a patch may not make more than this, in characters. */
const maxSize = 8 * 1024 * 1024;

const patch: Builtin = ([source, operations]) => {
  if (operations?.kind !== "array") return undefined;
  let patched: OpaValue | undefined = source;
  let isRemoved = false;
  for (const each of operations.items) {
    const operation = readOperation(each);
    if (operation === undefined) return undefined;
    patched = isRemoved ? addToNothing(operation) : apply(operation, patched);
    // The whole document may be taken away, and another put in its place.
    isRemoved = patched === undefined && operation.op === "remove" && operation.path.length === 0;
    if (patched === undefined && !isRemoved) return undefined;
    if (patched !== undefined && sizeOf(patched) > maxSize) throw tooLarge();
  }
  return patched && writeValue(patched);
};

function readOperation(operation: OpaValue): Operation | undefined {
  const op = textOf(memberOf(operation, "op"));
  const path = readPath(memberOf(operation, "path"));
  if (op === undefined || path === undefined) return undefined;
  const [value, from] = [memberOf(operation, "value"), memberOf(operation, "from")];
  return { op, path, value, from: readPath(from) };
}

function addToNothing({ op, path, value }: Operation): OpaValue | undefined {
  return op === "add" && path.length === 0 ? value : undefined;
}

function apply(
  { op, path, value, from }: Operation,
  source: OpaValue | undefined,
): OpaValue | undefined {
  switch (op) {
    case "add":
      return addAt(source, path, value);
    case "remove":
      return removeAt(source, path);
    case "replace":
      return path.length === 0 ? value : addAt(removeAt(source, path), path, value);
    case "move":
      return from && addAt(removeAt(source, from), path, findAt(source, from));
    case "copy":
      return from && addAt(source, path, findAt(source, from));
    case "test": {
      const found = findAt(source, path);
      if (found === undefined || value === undefined) return undefined;
      return compareOpaValues(found, value) === 0 ? source : undefined;
    }
    default:
      return undefined;
  }
}

function tooLarge(): Error {
  return new Error(`expected at most ${maxSize} characters of json.patch, found more`);
}

const marshalWithOptions: Builtin = ([value, options]) => {
  const indentation = readIndentation(options);
  if (value === undefined || indentation === undefined) return undefined;
  const { isPretty, ...layout } = indentation;
  if (!isPretty) return writeText(marshalGoJson(value));
  return writeText(layout.prefix + marshalGoJson(value, layout));
};

/** Undefined for a member that the options do not have. */
function readIndentation(
  options: OpaValue | undefined,
): (Indentation & { readonly isPretty: boolean }) | undefined {
  if (options?.kind !== "object") return undefined;
  const names = options.members.flatMap(([key]) => textOf(key) ?? []);
  const known = names.filter((name) => ["prefix", "indent", "pretty"].includes(name));
  if (known.length !== options.members.length) return undefined;
  const pretty = memberOf(options, "pretty");
  const prefix = optionalText(options, "prefix", "");
  const indent = optionalText(options, "indent", "\t");
  if (prefix === undefined || indent === undefined) return undefined;
  if (pretty !== undefined && pretty.kind !== "boolean") return undefined;
  const isPretty = pretty === undefined ? names.length > 0 : pretty.text === "true";
  return { prefix, indent, isPretty };
}

function optionalText(options: OpaValue, name: string, otherwise: string): string | undefined {
  const value = memberOf(options, name);
  return value === undefined ? otherwise : textOf(value);
}

export const jsonBuiltins: BuiltinGroup = {
  "json.marshal_with_options": marshalWithOptions,
  "json.patch": patch,
};
