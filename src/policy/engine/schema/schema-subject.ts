/**
 * What a keyword knows of the schema it stands in, while it is compiled.
 */
import type { Json, JsonObject } from "../../../contract/json.ts";
import type { Dialect } from "./dialect.ts";
import type { Check, SchemaNode } from "./schema-node.ts";

export interface SchemaSubject {
  /** The schema with all its keywords. */
  readonly schema: JsonObject;
  readonly dialect: Dialect;
  /** Compiles a schema that stands in this one. */
  readonly compile: (subschema: Json) => SchemaNode;
  /** The schema that a reference names; it can be asked for when everything is compiled. */
  readonly refer: (reference: string) => () => ReferenceTarget;
}

export interface ReferenceTarget {
  readonly node: SchemaNode;
  /** Where the reference named a dynamic anchor: its name. */
  readonly dynamicName: string | undefined;
}

/** Compiles one keyword; undefined where there is nothing to check. */
export type Keyword = (value: Json, subject: SchemaSubject, keyword: string) => Check | undefined;
