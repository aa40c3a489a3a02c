/**
 * Keywords that apply schemas to the elements of an array. Up to 2019-09 `items` may be a list of
 * schemas by place, with `additionalItems` for the rest; since then these are `prefixItems` and
 * `items`.
 */
import type { Json } from "../../../contract/json.ts";
import { isSince } from "./dialect.ts";
import { countOf, listOf } from "./schema-error.ts";
import type { Check, SchemaNode } from "./schema-node.ts";
import { evaluateMember, fail, silently } from "./schema-node.ts";
import type { Keyword, SchemaSubject } from "./schema-subject.ts";

export const prefixItems: Keyword = (value, subject, keyword) =>
  placesCheck(listOf(value, keyword).map(subject.compile));

export const items: Keyword = (value, subject) => {
  if (!Array.isArray(value) || isSince(subject.dialect, "2020-12")) {
    return restCheck("items", value, subject, prefixLength(subject));
  }
  return placesCheck(value.map(subject.compile));
};

/** Means something only beside a list of schemas. */
export const additionalItems: Keyword = (value, subject) => {
  const { items } = subject.schema;
  if (!Array.isArray(items)) return undefined;
  return restCheck("additionalItems", value, subject, items.length);
};

/** Comes after everything else in its schema. */
export const unevaluatedItems: Keyword = (value, { compile }) => {
  const node = compile(value);
  return (instance, visit, seen) => {
    if (!Array.isArray(instance)) return true;
    return instance.every((element, index) => {
      if (seen?.items.has(index) === true) return true;
      seen?.items.add(index);
      if (value === false) return fail(visit, "unevaluatedItems", index);
      return evaluateMember(node, element, index, visit);
    });
  };
};

export const contains: Keyword = (value, { schema, dialect, compile }) => {
  const node = compile(value);
  const isCounted = isSince(dialect, "2019-09");
  const least = isCounted ? countOf(schema["minContains"] ?? 1, "minContains") : 1;
  const { maxContains } = schema;
  const most =
    isCounted && maxContains !== undefined ? countOf(maxContains, "maxContains") : Infinity;
  const isSeen = isSince(dialect, "2020-12");
  return (instance, visit, seen) => {
    if (!Array.isArray(instance)) return true;
    const silent = silently(visit);
    let count = 0;
    for (const [index, element] of instance.entries()) {
      if (!evaluateMember(node, element, index, silent)) continue;
      count += 1;
      if (isSeen) seen?.items.add(index);
    }
    return (count >= least && count <= most) || fail(visit, "contains");
  };
};

function prefixLength({ schema, dialect }: SchemaSubject): number {
  const { prefixItems } = schema;
  return Array.isArray(prefixItems) && isSince(dialect, "2020-12") ? prefixItems.length : 0;
}

function placesCheck(nodes: readonly SchemaNode[]): Check {
  return (instance, visit, seen) => {
    if (!Array.isArray(instance)) return true;
    return nodes.every((node, index) => {
      const element: Json | undefined = instance[index];
      if (element === undefined) return true;
      seen?.items.add(index);
      return evaluateMember(node, element, index, visit);
    });
  };
}

function restCheck(keyword: string, value: Json, { compile }: SchemaSubject, from: number): Check {
  const node = compile(value);
  return (instance, visit, seen) => {
    if (!Array.isArray(instance)) return true;
    for (let index = from; index < instance.length; index += 1) {
      const element: Json = instance[index];
      seen?.items.add(index);
      if (value === false) return fail(visit, keyword, index);
      if (!evaluateMember(node, element, index, visit)) return false;
    }
    return true;
  };
}
