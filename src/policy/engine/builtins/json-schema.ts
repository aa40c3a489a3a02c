/**
 * `json.match_schema` and `json.verify_schema`. Verdicts are OPA's; where a value breaks a schema in
 * several ways, their order is not.
 */
import type { OpaValue } from "../opa-value.ts";
import { SchemaError } from "../schema/schema-error.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import { compileSchema } from "./json-schema/compile-schema.ts";
import { asJson } from "./json-schema/as-json.ts";
import { checkAll, rootField } from "./json-schema/schema-check.ts";
import type { Failure, SchemaNode } from "./json-schema/schema-check.ts";
import { readJson } from "./read-json.ts";
import { writeArray, writeObject, writeText } from "./values.ts";

type Compiled =
  | { readonly ok: true; readonly node: SchemaNode }
  | { readonly ok: false; readonly message: string };

const matchSchema: Builtin = ([document, schema]) => {
  const value = readDocument(document);
  const compiled = compile(schema);
  if (value === undefined || !compiled.ok) return undefined;
  const failures: Failure[] = [];
  checkAll(compiled.node, value, { field: rootField, depth: 0, failures });
  return writeArray([String(failures.length === 0), writeArray(failures.map(writeFailure))]);
};

const verifySchema: Builtin = ([schema]) => {
  const compiled = compile(schema);
  return writeArray([
    String(compiled.ok),
    compiled.ok ? "null" : writeText(`jsonschema: ${compiled.message}`),
  ]);
};

function compile(schema: OpaValue | undefined): Compiled {
  const document = readDocument(schema);
  if (document === undefined) {
    const isText = schema?.kind === "string";
    const message = isText ? "invalid JSON string" : "wrong type, expected string or object";
    return { ok: false, message };
  }
  try {
    return { ok: true, node: compileSchema(document) };
  } catch (thrown) {
    if (thrown instanceof SchemaError) return { ok: false, message: thrown.message };
    throw thrown;
  }
}

/** A string is JSON text; other values than objects and arrays are refused. */
function readDocument(operand: OpaValue | undefined): OpaValue | undefined {
  if (operand?.kind === "string") return readJsonText(operand.value);
  const isDocument = operand?.kind === "object" || operand?.kind === "array";
  return isDocument ? asJson(operand) : undefined;
}

/** Undefined for other text. */
function readJsonText(text: string): OpaValue | undefined {
  try {
    return readJson(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function writeFailure({ type, field, description }: Failure): string {
  return writeObject([
    [writeText("error"), writeText(`${field}: ${description}`)],
    [writeText("type"), writeText(type)],
    [writeText("field"), writeText(field)],
    [writeText("desc"), writeText(description)],
  ]);
}

export const schemaBuiltins: BuiltinGroup = {
  "json.match_schema": matchSchema,
  "json.verify_schema": verifySchema,
};
