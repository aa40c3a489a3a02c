/**
 * Checks the arguments of a call against the input schema of its tool, inside a worker. Both come
 * from outside: a schema may ask for work without end, which the deadline ends together with the
 * thread. Compiled schemas are kept by their digest, the least used go first.
 */
import type { Json } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { messageOf } from "../../errors.ts";
import type { ArgumentCheck, ArgumentCheckRequest } from "./engine-protocol.ts";
import type { CompiledSchema } from "./schema/compile-schema.ts";
import { compileSchema } from "./schema/compile-schema.ts";
import { SchemaError } from "./schema/schema-error.ts";
import type { Failure } from "./schema/schema-node.ts";

/** Checks the arguments of one call; never throws. */
export type CheckArguments = (request: ArgumentCheckRequest) => ArgumentCheck;

/** Of the schemas' texts together; compiled they are a few times as large. */
const keptCharacters = 1024 * 1024;
const maxPointerLength = 200;

/** Makes the check with an empty store of compiled schemas. */
export function createArgumentCheck(): CheckArguments {
  const kept = new Map<string, { readonly schema: CompiledSchema; readonly length: number }>();
  let characters = 0;
  const schemaOf = ({ schemaJson, schemaDigest }: ArgumentCheckRequest): CompiledSchema => {
    const known = kept.get(schemaDigest);
    kept.delete(schemaDigest);
    const entry = known ?? { schema: compile(schemaJson), length: schemaJson.length };
    kept.set(schemaDigest, entry);
    characters += known === undefined ? entry.length : 0;
    for (const [digest, { length }] of kept) {
      if (characters <= keptCharacters) break;
      kept.delete(digest);
      characters -= length;
    }
    return entry.schema;
  };
  return (request) => {
    try {
      const schema = schemaOf(request);
      const args = parse(request.argumentsJson);
      const failures = schema.check(args);
      if (failures.length === 0) return { ok: true };
      const given = withoutNothing(args, parse(request.schemaJson));
      return given !== undefined && schema.check(given).length === 0
        ? { ok: true }
        : invalid(failures);
    } catch (thrown) {
      return failed(thrown);
    }
  };
}

/** A schema that cannot be used is compiled to its error, so that it is read once. */
function compile(schemaJson: string): CompiledSchema {
  try {
    return compileSchema(parse(schemaJson));
  } catch (thrown) {
    return {
      check: () => {
        throw thrown;
      },
    };
  }
}

/**
 * Clients say `null` for an argument that they leave out (MCP 2026-07-28 mirrors none of it into a
 * header): without those that the schema does not require. `undefined` where there are none.
 */
function withoutNothing(args: Json, schema: Json): Json | undefined {
  if (!isJsonObject(args) || !isJsonObject(schema)) return undefined;
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const given = Object.entries(args).filter(([key, value]) => value !== null || required.has(key));
  return given.length === Object.keys(args).length ? undefined : Object.fromEntries(given);
}

function parse(text: string): Json {
  return JSON.parse(text);
}

function invalid(failures: readonly Failure[]): ArgumentCheck {
  const found = failures.map(({ pointer, keyword }) => {
    const place =
      pointer.length > maxPointerLength ? `${pointer.slice(0, maxPointerLength)}…` : pointer;
    return `${JSON.stringify(place)} breaks ${keyword}`;
  });
  const message = `expected arguments that the tool's input schema allows, found: ${found.join("; ")}`;
  return { ok: false, code: "arguments_invalid", message };
}

function failed(thrown: unknown): ArgumentCheck {
  if (thrown instanceof SchemaError) {
    const message = `the tool's input schema cannot be used: ${thrown.message}`;
    return { ok: false, code: thrown.code, message };
  }
  if (thrown instanceof RangeError) {
    const message = "the tool's input schema cannot be used: it is too deep or refers to itself";
    return { ok: false, code: "schema_unusable", message };
  }
  return { ok: false, code: "policy_error", message: `checking arguments: ${messageOf(thrown)}` };
}
