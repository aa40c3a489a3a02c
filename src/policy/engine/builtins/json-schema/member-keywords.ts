/**
 * Keywords about objects.
 */
import type { OpaValue } from "../../opa-value.ts";
import { unusable } from "../../schema/schema-error.ts";
import { compilePattern } from "../compile-pattern.ts";
import type { Pattern } from "../compile-pattern.ts";
import { checkAll, checkMember, fail, isValid } from "./schema-check.ts";
import type { Check, Visit } from "./schema-check.ts";
import type { Keyword, Subject } from "./schema-subject.ts";
import { countIn, membersOf, objectIn, schemaIn, textsIn } from "./schema-subject.ts";

type Members = ReadonlyMap<string, OpaValue>;

export const properties: Keyword = (value, { compile }, name) => {
  const nodes = [...objectIn(value, name)].map(
    ([key, schema]) => [key, compile(schemaIn(schema, key))] as const,
  );
  return onObject((members, visit) => {
    for (const [key, node] of nodes) {
      const member = members.get(key);
      if (member !== undefined) checkMember(node, member, key, visit);
    }
  });
};

export const patternProperties: Keyword = (value, { compile }, name) => {
  const nodes = [...objectIn(value, name)].map(
    ([source, schema]) => [patternOf(source), compile(schemaIn(schema, source))] as const,
  );
  return onObject((members, visit) => {
    for (const [key, member] of members) {
      for (const [pattern, node] of nodes) {
        if (pattern.matcher(key).find()) checkMember(node, member, key, visit);
      }
    }
  });
};

/** What neither `properties` nor `patternProperties` speaks of. */
export const additionalProperties: Keyword = (value, subject, name) => {
  const node = subject.compile(schemaIn(value, name));
  const isKnown = knownBy(subject);
  return onObject((members, visit) => {
    for (const [key, member] of members) {
      if (isKnown(key)) continue;
      if (value.kind === "boolean") {
        if (value.text === "true") continue;
        const text = `Additional property ${key} is not allowed`;
        fail(visit, "additional_property_not_allowed", text);
      } else {
        checkMember(node, member, key, visit);
      }
    }
  });
};

export const propertyNames: Keyword = (value, { compile }, name) => {
  const node = compile(schemaIn(value, name));
  return onObject((members, visit) => {
    for (const key of members.keys()) {
      const instance: OpaValue = { kind: "string", value: key };
      if (isValid(node, instance, visit)) continue;
      fail(visit, "invalid_property_name", `Property name of "${key}" does not match`);
      checkAll(node, instance, visit);
    }
  });
};

export const required: Keyword = (value, _, name) => {
  const names = textsIn(value, name);
  if (new Set(names).size < names.length) throw unusable("required items must be unique");
  return onObject((members, visit) => {
    for (const key of names) {
      if (!members.has(key)) fail(visit, "required", `${key} is required`);
    }
  });
};

export const minProperties: Keyword = (value, { get }, name) => {
  const least = countIn(value, name);
  const most = get("maxProperties");
  if (most !== undefined && least > countIn(most, "maxProperties")) {
    throw unusable("minProperties cannot be greater than maxProperties");
  }
  return onObject((members, visit) => {
    if (members.size >= least) return;
    fail(visit, "array_min_properties", `Must have at least ${least} properties`);
  });
};

export const maxProperties: Keyword = (value, _, name) => {
  const most = countIn(value, name);
  return onObject((members, visit) => {
    if (members.size <= most) return;
    fail(visit, "array_max_properties", `Must have at most ${most} properties`);
  });
};

/** For each key, other keys or a schema for the whole object. */
export const dependencies: Keyword = (value, { compile }, name) => {
  const rules = [...objectIn(value, name)].map(([key, rule]) => [key, readRule(rule)] as const);
  function readRule(rule: OpaValue): Check {
    if (rule.kind === "array") return needs(textsIn(rule, name));
    const node = compile(schemaIn(rule, name));
    return (instance, visit) => checkAll(node, instance, visit);
  }
  return (instance, visit) => {
    const members = membersOf(instance);
    for (const [key, check] of rules) if (members.has(key)) check(instance, visit);
  };
};

function needs(names: readonly string[]): Check {
  return onObject((members, visit) => {
    for (const key of names) {
      if (!members.has(key)) fail(visit, "missing_dependency", `Has a dependency on ${key}`);
    }
  });
}

function knownBy({ get }: Subject): (key: string) => boolean {
  const names = membersOf(get("properties") ?? { kind: "null", text: "null" });
  const sources = membersOf(get("patternProperties") ?? { kind: "null", text: "null" });
  const patterns = [...sources.keys()].map(patternOf);
  return (key) => names.has(key) || patterns.some((pattern) => pattern.matcher(key).find());
}

function patternOf(source: string): Pattern {
  const pattern = compilePattern(source);
  if (pattern === undefined) throw unusable(`Invalid regex pattern '${source}'`);
  return pattern;
}

function onObject(check: (members: Members, visit: Visit) => void): Check {
  return (instance, visit) => {
    if (instance.kind === "object") check(membersOf(instance), visit);
  };
}
