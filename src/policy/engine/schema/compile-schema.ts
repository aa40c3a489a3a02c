/**
 * Compiles a JSON Schema into closures, all of it at once, so that a schema that is not understood
 * is known as such before any arguments are checked. References are tied last, when every schema
 * that they may name is there.
 */
import type { Json, JsonObject } from "../../../contract/json.ts";
import { isJsonObject } from "../../../contract/json.ts";
import type { Dialect } from "./dialect.ts";
import { dialectOf, isSince } from "./dialect.ts";
import { keywordsOf } from "./keywords.ts";
import type { Resources } from "./references.ts";
import { createResources, splitUri } from "./references.ts";
import { objectOf, textOf, unusable } from "./schema-error.ts";
import type { Check, Failure, Resource, SchemaNode } from "./schema-node.ts";
import { evaluate, fail, newSeen, startVisit } from "./schema-node.ts";
import type { Keyword, ReferenceTarget, SchemaSubject } from "./schema-subject.ts";

export interface CompiledSchema {
  /**
   * The first few things in which an instance breaks the schema; none where it is valid.
   *
   * @throws SchemaError where the schema refers to itself without end.
   */
  readonly check: (instance: Json) => readonly Failure[];
}

interface Compilation {
  readonly dialect: Dialect;
  readonly keywords: ReadonlyMap<string, Keyword>;
  readonly resources: Resources;
  readonly nodes: Map<JsonObject, SchemaNode>;
  readonly untied: (() => void)[];
  tracks: boolean;
}

/** Where schemas wait to be referred to. */
const shelves = ["$defs", "definitions"] as const;
/** The one dynamic anchor of 2019-09, which has no name. */
const recursiveAnchor = "$recursiveAnchor";

/**
 * Compiles a schema.
 *
 * @throws SchemaError for whatever in it is not understood.
 */
export function compileSchema(schema: Json): CompiledSchema {
  const dialect = isJsonObject(schema) ? dialectOf(schema) : "2020-12";
  const compilation: Compilation = {
    dialect,
    keywords: keywordsOf(dialect),
    resources: createResources(),
    nodes: new Map(),
    untied: [],
    tracks: false,
  };
  const node = compile(compilation, schema, undefined);
  for (;;) {
    const tie = compilation.untied.shift();
    if (tie === undefined) break;
    tie();
  }
  const { tracks } = compilation;
  return {
    check: (instance) => {
      const failures: Failure[] = [];
      const visit = startVisit(node, failures, tracks);
      if (evaluate(node, instance, visit, newSeen(visit))) return [];
      return failures.length > 0 ? failures : [{ pointer: "", keyword: "its schema" }];
    },
  };
}

function compile(of: Compilation, schema: Json, base: Resource | undefined): SchemaNode {
  if (typeof schema === "boolean") {
    const resource = base ?? of.resources.add(schema, "", undefined);
    return { checks: schema ? [] : [(_, visit) => fail(visit, "false")], resource };
  }
  if (!isJsonObject(schema)) throw unusable("expected an object, true or false as a schema");
  const known = of.nodes.get(schema);
  if (known !== undefined) return known;
  const checks: Check[] = [];
  const node = { checks, resource: enterResource(of, schema, base) };
  of.nodes.set(schema, node);
  nameAnchors(of, schema, node);
  const subject = subjectOf(of, schema, node.resource);
  for (const [name, keyword] of of.keywords) {
    const value = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (value === undefined || (name !== "$ref" && isReferenceAlone(of, schema))) continue;
    if (name.startsWith("unevaluated")) of.tracks = true;
    const check = keyword(value, subject, name);
    if (check !== undefined) checks.push(check);
  }
  for (const shelf of shelves) {
    Object.values(objectOf(schema[shelf] ?? {}, shelf)).forEach(subject.compile);
  }
  return node;
}

function subjectOf(of: Compilation, schema: JsonObject, resource: Resource): SchemaSubject {
  return {
    schema,
    dialect: of.dialect,
    compile: (subschema) => compile(of, subschema, resource),
    refer: (reference) => {
      let target: ReferenceTarget | undefined;
      of.untied.push(() => {
        target = tie(of, reference, resource);
      });
      return () => {
        if (target === undefined) throw unusable("expected references to be tied");
        return target;
      };
    },
  };
}

function tie(of: Compilation, reference: string, from: Resource): ReferenceTarget {
  const location = of.resources.find(reference, from);
  if (location.kind === "anchor") return location;
  const node = compile(of, location.schema, location.resource);
  const isRecursive = node.resource.dynamicAnchors.get(recursiveAnchor) === node;
  return { node, dynamicName: isRecursive ? recursiveAnchor : undefined };
}

/** Up to draft-07 a reference is all that counts in its schema. */
function isReferenceAlone({ dialect }: Compilation, schema: JsonObject): boolean {
  return typeof schema["$ref"] === "string" && !isSince(dialect, "2019-09");
}

function enterResource(of: Compilation, schema: JsonObject, base: Resource | undefined): Resource {
  const id = isReferenceAlone(of, schema) ? "" : textOf(schema["$id"] ?? "", "$id");
  if (base === undefined) return of.resources.add(schema, id, base);
  if (schema["$schema"] !== undefined && dialectOf(schema) !== of.dialect) {
    throw unusable('expected one "$schema" for all of it');
  }
  return splitUri(id, base.uri).uri === base.uri ? base : of.resources.add(schema, id, base);
}

function nameAnchors(of: Compilation, schema: JsonObject, node: SchemaNode): void {
  const { anchors, dynamicAnchors, uri } = node.resource;
  const { $id, $anchor, $dynamicAnchor } = schema;
  if (!isSince(of.dialect, "2019-09")) {
    const { fragment } = splitUri(typeof $id === "string" ? $id : "", uri);
    if (fragment !== "" && !isReferenceAlone(of, schema)) anchors.set(fragment, node);
    return;
  }
  if ($anchor !== undefined) anchors.set(textOf($anchor, "$anchor"), node);
  if (of.dialect === "2019-09") {
    if (schema[recursiveAnchor] === true) dynamicAnchors.set(recursiveAnchor, node);
  } else if ($dynamicAnchor !== undefined) {
    dynamicAnchors.set(textOf($dynamicAnchor, "$dynamicAnchor"), node);
  }
}
