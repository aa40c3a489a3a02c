/**
 * Keywords that apply schemas to the members of an object.
 */
import type { Json } from "../../../contract/json.ts";
import { isJsonObject } from "../../../contract/json.ts";
import { requirement } from "./assertions.ts";
import { namesOf, objectOf, patternOf } from "./schema-error.ts";
import type { Check, SchemaNode, Seen, Visit } from "./schema-node.ts";
import { evaluateInPlace, evaluateMember, fail, wantsMore } from "./schema-node.ts";
import type { Keyword, SchemaSubject } from "./schema-subject.ts";

export const properties: Keyword = (value, { compile }) => {
  const nodes = Object.entries(objectOf(value, "properties")).map(
    ([name, schema]) => [name, compile(schema)] as const,
  );
  return (instance, visit, seen) => {
    if (!isJsonObject(instance)) return true;
    let isValid = true;
    for (const [name, node] of nodes) {
      const member = memberOf(instance, name);
      if (member === undefined) continue;
      seen?.properties.add(name);
      if (evaluateMember(node, member, name, visit)) continue;
      if (!wantsMore(visit)) return false;
      isValid = false;
    }
    return isValid;
  };
};

export const patternProperties: Keyword = (value, { compile }) => {
  const nodes = Object.entries(objectOf(value, "patternProperties")).map(
    ([pattern, schema]) => [patternOf(pattern, "patternProperties"), compile(schema)] as const,
  );
  return (instance, visit, seen) => {
    if (!isJsonObject(instance)) return true;
    return Object.entries(instance).every(([name, member]) =>
      nodes.every(([pattern, node]) => {
        if (!pattern.test(name)) return true;
        seen?.properties.add(name);
        return evaluateMember(node, member, name, visit);
      }),
    );
  };
};

export const additionalProperties: Keyword = (value, { schema, compile }) => {
  const named = new Set(Object.keys(objectOf(schema["properties"] ?? {}, "properties")));
  const patterns = Object.keys(objectOf(schema["patternProperties"] ?? {}, "patternProperties"));
  const matchers = patterns.map((pattern) => patternOf(pattern, "patternProperties"));
  const isOther = (name: string): boolean =>
    !named.has(name) && !matchers.some((pattern) => pattern.test(name));
  return restCheck("additionalProperties", value, compile(value), isOther);
};

/** Comes after everything else in its schema. */
export const unevaluatedProperties: Keyword = (value, { compile }) =>
  restCheck(
    "unevaluatedProperties",
    value,
    compile(value),
    (name, seen) => seen?.properties.has(name) !== true,
  );

function restCheck(
  keyword: string,
  schema: Json,
  node: SchemaNode,
  isOther: (name: string, seen: Seen | undefined) => boolean,
): Check {
  return (instance, visit, seen) => {
    if (!isJsonObject(instance)) return true;
    for (const [name, member] of Object.entries(instance)) {
      if (!isOther(name, seen)) continue;
      seen?.properties.add(name);
      if (schema === false) return fail(visit, keyword, name);
      if (!evaluateMember(node, member, name, visit)) return false;
    }
    return true;
  };
}

export const propertyNames: Keyword = (value, { compile }) => {
  const node = compile(value);
  return (instance, visit) => {
    if (!isJsonObject(instance)) return true;
    const silent: Visit = { ...visit, failures: undefined };
    const stranger = Object.keys(instance).find(
      (name) => !evaluateMember(node, name, name, silent),
    );
    return stranger === undefined || fail(visit, "propertyNames", stranger);
  };
};

export const dependentRequired: Keyword = (value, _, keyword) => {
  const checks = Object.entries(objectOf(value, keyword)).map(
    ([name, names]) => [name, requirement(namesOf(names, keyword), keyword)] as const,
  );
  return whereMembers(checks);
};

export const dependentSchemas: Keyword = (value, subject, keyword) => {
  const checks = Object.entries(objectOf(value, keyword)).map(
    ([name, schema]) => [name, inPlace(schema, subject)] as const,
  );
  return whereMembers(checks);
};

/** Until draft-07, what became `dependentRequired` and `dependentSchemas`. */
export const dependencies: Keyword = (value, subject, keyword) => {
  const checks = Object.entries(objectOf(value, keyword)).map(([name, needed]) => {
    const check = Array.isArray(needed)
      ? requirement(namesOf(needed, keyword), keyword)
      : inPlace(needed, subject);
    return [name, check] as const;
  });
  return whereMembers(checks);
};

function inPlace(schema: Json, { compile }: SchemaSubject): Check {
  const node = compile(schema);
  return (instance, visit, seen) => evaluateInPlace(node, instance, visit, seen);
}

function whereMembers(checks: readonly (readonly [string, Check])[]): Check {
  return (instance, visit, seen) => {
    if (!isJsonObject(instance)) return true;
    return checks.every(
      ([name, check]) => !Object.hasOwn(instance, name) || check(instance, visit, seen),
    );
  };
}

function memberOf(instance: Readonly<Record<string, Json>>, name: string): Json | undefined {
  return Object.hasOwn(instance, name) ? instance[name] : undefined;
}
