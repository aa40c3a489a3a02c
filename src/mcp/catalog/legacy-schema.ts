/**
 * Schemas of tools for clients up to 2025-11-25, who know objects alone: an output schema of another
 * kind is put under `result`, and so is the result itself; boolean schemas are written as objects.
 */
import { isRecord } from "../../contract/json.ts";
import { rewriteResult } from "../wire/rewrite-result.ts";
import type { ResultBytes } from "../wire/rewrite-result.ts";
import { isObjectSchema } from "./item-shapes.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Keywords whose value is data, not a schema. */
export const dataKeywords: ReadonlySet<string> = new Set(["const", "default", "enum", "examples"]);
/** Keywords whose value maps names of the server's choice to schemas. */
export const mapKeywords: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** The schema with objects for all of its properties. */
export function legacyInputSchema(schema: Schema): Schema {
  const { properties } = schema;
  if (!isRecord(properties) || Object.values(properties).every(isRecord)) return schema;
  return { ...schema, properties: mapValues(properties, (_, part) => asObject(part)) };
}

/** The schema itself where its root is an object, else one of an object with it as `result`. */
export function legacyOutputSchema(schema: Schema): Schema {
  if (isObjectSchema(schema)) return legacyInputSchema(schema);
  const { $schema, ...rest } = schema;
  const result = typeof schema["$id"] === "string" ? rest : rebase(rest);
  return {
    ...($schema === undefined ? {} : { $schema }),
    type: "object",
    properties: { result },
    required: ["result"],
  };
}

/**
 * The result with its structured content as legacy clients read it: under `result` where `wraps`
 * says that the schema is, or where it is no object. The same buffer where nothing changes.
 */
export function wrapStructured(result: ResultBytes, wraps: boolean): Buffer {
  const content = result.value["structuredContent"];
  if (content === undefined || (!wraps && isRecord(content))) return result.bytes;
  return rewriteResult(result, {
    set: {},
    dropsMeta: () => false,
    replace: (key, part) =>
      key === "structuredContent" ? `{"result":${part.toString("utf8")}}` : undefined,
  });
}

function asObject(schema: unknown): unknown {
  if (schema === true) return {};
  return schema === false ? { not: {} } : schema;
}

/** References from the root, `#/$defs/x`, to where that root is now. */
function rebase(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rebase);
  if (!isRecord(schema)) return schema;
  return mapValues(schema, (keyword, value) => {
    if (dataKeywords.has(keyword)) return value;
    if (mapKeywords.has(keyword) && isRecord(value)) {
      return mapValues(value, (_, part) => rebase(part));
    }
    const isReference = keyword === "$ref" || keyword === "$dynamicRef";
    return isReference && typeof value === "string" ? rebaseReference(value) : rebase(value);
  });
}

function mapValues(object: Schema, change: (key: string, value: unknown) => unknown): Schema {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(key, value)]),
  );
}

/** Anchors (`#name`) and other documents stay what they are. */
function rebaseReference(reference: string): string {
  const isFromRoot = reference === "#" || reference.startsWith("#/");
  return isFromRoot ? `#/properties/result${reference.slice(1)}` : reference;
}
