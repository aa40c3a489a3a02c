/**
 * Compiles a JSON Schema as the validator in OPA understands it: drafts 4, 6 and 7 at once unless
 * the schema says which. Keywords of later drafts are annotations.
 */
import type { OpaValue } from "../../opa-value.ts";
import { unusable } from "../../schema/schema-error.ts";
import * as combining from "./combining-keywords.ts";
import * as lists from "./list-keywords.ts";
import * as members from "./member-keywords.ts";
import type { References } from "./references.ts";
import { createReferences } from "./references.ts";
import { checkAll, fail } from "./schema-check.ts";
import type { Check, SchemaNode } from "./schema-check.ts";
import type { Keyword, Subject } from "./schema-subject.ts";
import { membersOf, objectIn, schemaIn, textIn } from "./schema-subject.ts";
import * as values from "./value-keywords.ts";

interface Compilation {
  readonly references: References;
  readonly nodes: Map<OpaValue, SchemaNode>;
  /** Draft 4, 6 or 7; 7 knows all that the others know. */
  readonly draft: number;
}

/** In the order in which they are checked, with the first draft that has them. */
const keywords: readonly (readonly [name: string, keyword: Keyword, since?: number])[] = [
  ["type", values.type],
  ["anyOf", combining.anyOf],
  ["oneOf", combining.oneOf],
  ["allOf", combining.allOf],
  ["not", combining.not],
  ["dependencies", members.dependencies],
  ["if", combining.condition, 7],
  ["items", lists.items],
  ["additionalItems", lists.additionalItems],
  ["minItems", lists.minItems],
  ["maxItems", lists.maxItems],
  ["uniqueItems", lists.uniqueItems],
  ["contains", lists.contains, 6],
  ["minProperties", members.minProperties],
  ["maxProperties", members.maxProperties],
  ["required", members.required],
  ["patternProperties", members.patternProperties],
  ["additionalProperties", members.additionalProperties],
  ["propertyNames", members.propertyNames, 6],
  ["multipleOf", values.multipleOf],
  ["maximum", values.maximum],
  ["exclusiveMaximum", values.exclusiveMaximum],
  ["minimum", values.minimum],
  ["exclusiveMinimum", values.exclusiveMinimum],
  ["const", values.constant, 6],
  ["enum", values.enumeration],
  ["format", values.format],
  ["minLength", values.minLength],
  ["maxLength", values.maxLength],
  ["pattern", values.pattern],
  ["properties", members.properties],
];

/**
 * Compiles a schema.
 *
 * @throws SchemaError for what is no schema.
 */
export function compileSchema(schema: OpaValue): SchemaNode {
  const references = createReferences(schema);
  return compile({ references, nodes: new Map(), draft: draftOf(schema) }, schema);
}

function draftOf(schema: OpaValue): number {
  const uri = membersOf(schema).get("$schema");
  const name = uri === undefined ? "" : textIn(uri, "$schema").replace(/#$/, "");
  return Number(/^http:\/\/json-schema\.org\/draft-0([467])\/schema$/.exec(name)?.[1] ?? 7);
}

function compile(of: Compilation, schema: OpaValue): SchemaNode {
  const known = of.nodes.get(schema);
  if (known !== undefined) return known;
  const checks: Check[] = [];
  const node = { checks };
  of.nodes.set(schema, node);
  if (schema.kind === "boolean") {
    if (schema.text === "false") {
      checks.push((_, visit) => fail(visit, "false", "False always fails validation"));
    }
  } else if (schema.kind === "object") {
    checks.push(...compileKeywords(of, schema));
  } else {
    throw unusable("Expected: valid schema, given: Invalid JSON");
  }
  return node;
}

function compileKeywords(of: Compilation, schema: OpaValue): readonly Check[] {
  const present = membersOf(schema);
  const subject: Subject = {
    get: (name) => present.get(name),
    compile: (inner) => compile(of, inner),
  };
  const definitions = present.get("definitions");
  if (definitions !== undefined) {
    for (const [name, each] of objectIn(definitions, "definitions")) {
      subject.compile(schemaIn(each, name));
    }
  }
  const reference = present.get("$ref");
  if (reference !== undefined) return [refer(of, textIn(reference, "$ref"), schema)];
  const checks = keywords.map(([name, keyword, since = 4]) => {
    const value = present.get(name);
    const isKnown = value !== undefined && of.draft >= since;
    return isKnown ? keyword(value, subject, name) : undefined;
  });
  const [type = (): void => undefined, ...others] = checks;
  return [type, ...others.filter((check) => check !== undefined)];
}

/** Beside a reference nothing else counts. */
function refer(of: Compilation, reference: string, from: OpaValue): Check {
  const node = compile(of, schemaIn(of.references.find(reference, from), "$ref"));
  return (value, visit) => checkAll(node, value, visit);
}
