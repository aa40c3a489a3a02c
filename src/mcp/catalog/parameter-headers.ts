/**
 * Reads the `x-mcp-header` annotations of a tool (MCP 2026-07-28, "Custom Headers from Tool
 * Parameters"): which arguments a client mirrors into headers. A tool with an annotation that breaks
 * a rule of that chapter is no tool that a client may keep.
 */
import type { Json, JsonObject } from "../../contract/json.ts";
import { isJsonObject, isRecord } from "../../contract/json.ts";
import { headerTextOf } from "../wire/header-value.ts";

export type ParameterHeaders =
  /** Full header name, `Mcp-Param-Region` → JSON pointer into the arguments. */
  | { readonly ok: true; readonly pointers: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly reason: string };

const annotation = "x-mcp-header";
/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
const mirroredTypes: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
/** Keywords whose value is data and no schema; what looks like an annotation in there is none. */
const dataKeywords: ReadonlySet<string> = new Set([
  "const",
  "default",
  "enum",
  "example",
  "examples",
]);
/** Keywords whose value maps names of the server's choice to schemas. */
const mapKeywords: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
]);

/** The headers that mirror the arguments of a call, by full name, not yet encoded. */
export function parameterHeadersOf(
  tool: { readonly parameterHeaders: ReadonlyMap<string, string> },
  argumentsJson: string,
): Readonly<Record<string, string>> {
  if (tool.parameterHeaders.size === 0) return {};
  const args: Json = JSON.parse(argumentsJson);
  const headers = [...tool.parameterHeaders].flatMap(([header, pointer]) => {
    const text = headerTextOf(valueAt(args, pointer));
    return text === undefined ? [] : [[header, text] as const];
  });
  return Object.fromEntries(headers);
}

function valueAt(args: Json, pointer: string): Json | undefined {
  const keys = pointer.split("/").slice(1);
  return keys.reduce<Json | undefined>((value, escaped) => {
    const key = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    return value !== undefined && isJsonObject(value) && Object.hasOwn(value, key)
      ? value[key]
      : undefined;
  }, args);
}

interface Found {
  readonly pointers: Map<string, string>;
  /** Header names in lower case: they are compared without regard to it. */
  readonly taken: Set<string>;
}

/** Reads the annotations of an `inputSchema`; none is fine, a broken one is not. */
export function readParameterHeaders(inputSchema: JsonObject): ParameterHeaders {
  const found: Found = { pointers: new Map(), taken: new Set() };
  const reason = readSchema(inputSchema, "", true, found);
  return reason === undefined ? { ok: true, pointers: found.pointers } : { ok: false, reason };
}

/** Collects from one schema and those in it; returns what is wrong with the first broken one. */
function readSchema(
  schema: unknown,
  pointer: string,
  isReachable: boolean,
  found: Found,
): string | undefined {
  if (Array.isArray(schema)) {
    return firstOf(schema, (part) => readSchema(part, pointer, false, found));
  }
  if (!isRecord(schema)) return undefined;
  const problem = readAnnotation(schema, pointer, isReachable, found);
  if (problem !== undefined) return problem;
  return firstOf(Object.entries(schema), ([keyword, value]) => {
    if (dataKeywords.has(keyword) || keyword === annotation) return undefined;
    if (keyword !== "properties" && !mapKeywords.has(keyword)) {
      return readSchema(value, pointer, false, found);
    }
    const named = isRecord(value) ? Object.entries(value) : [];
    const goesOn = isReachable && keyword === "properties";
    return firstOf(named, ([name, part]) =>
      readSchema(part, `${pointer}/${escapePointer(name)}`, goesOn, found),
    );
  });
}

function readAnnotation(
  schema: Readonly<Record<string, unknown>>,
  pointer: string,
  isReachable: boolean,
  found: Found,
): string | undefined {
  if (!Object.hasOwn(schema, annotation)) return undefined;
  const name = schema[annotation];
  if (!isReachable) {
    return `its inputSchema has an ${annotation} that no chain of "properties" leads to`;
  }
  if (typeof name !== "string" || !token.test(name)) {
    return `its inputSchema has an ${annotation} that is no header name`;
  }
  if (!mirroredTypes.has(schema["type"])) {
    return `its inputSchema has an ${annotation} on another type than string, integer or boolean`;
  }
  if (found.taken.has(name.toLowerCase()))
    return `its inputSchema has the same ${annotation} twice`;
  found.taken.add(name.toLowerCase());
  found.pointers.set(`Mcp-Param-${name}`, pointer);
  return undefined;
}

function firstOf<Part>(
  parts: readonly Part[],
  read: (part: Part) => string | undefined,
): string | undefined {
  for (const part of parts) {
    const problem = read(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
