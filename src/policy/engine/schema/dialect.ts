/**
 * The dialects of JSON Schema that arguments are checked in, and what differs between them. MCP's
 * default is 2020-12. A schema in any other dialect is unusable.
 */
import type { JsonObject } from "../../../contract/json.ts";
import { unusable } from "./schema-error.ts";

/** In the order in which they were published. */
const dialects = ["draft-06", "draft-07", "2019-09", "2020-12"] as const;
export type Dialect = (typeof dialects)[number];

const byUri: ReadonlyMap<string, Dialect> = new Map([
  ["json-schema.org/draft/2020-12/schema", "2020-12"],
  ["json-schema.org/draft/2019-09/schema", "2019-09"],
  ["json-schema.org/draft-07/schema", "draft-07"],
  ["json-schema.org/draft-06/schema", "draft-06"],
]);

/**
 * The dialect that a schema says it is in.
 *
 * @throws SchemaError for one that nobody here speaks.
 */
export function dialectOf(schema: JsonObject): Dialect {
  const { $schema: uri } = schema;
  if (uri === undefined) return "2020-12";
  const name = typeof uri === "string" ? uri.replace(/^https?:\/\/|#$/g, "") : "";
  const dialect = byUri.get(name);
  if (dialect !== undefined) return dialect;
  throw unusable('expected "$schema" to be JSON Schema 2020-12, 2019-09, draft-07 or draft-06');
}

/** True where a dialect is as new as another, or newer. */
export function isSince(dialect: Dialect, first: Dialect): boolean {
  return dialects.indexOf(dialect) >= dialects.indexOf(first);
}
