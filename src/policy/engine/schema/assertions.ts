/**
 * Keywords that look at a value alone: its type, its size, what it is equal to. `format`,
 * `contentEncoding` and their like are annotations and not checked; `default` is never filled in.
 */
import { canonicalJson } from "../../../contract/canonical-json.ts";
import type { Json, JsonObject } from "../../../contract/json.ts";
import { isJsonObject } from "../../../contract/json.ts";
import { isMultipleOf } from "./multiple-of.ts";
import { countOf, listOf, namesOf, numberOf, patternOf, unusable } from "./schema-error.ts";
import type { Check } from "./schema-node.ts";
import { fail } from "./schema-node.ts";

type Assertion = (value: Json, keyword: string) => Check;

/** Assertions by keyword; each means the same in every dialect. */
export const assertions: ReadonlyMap<string, Assertion> = new Map<string, Assertion>([
  ["type", readType],
  ["enum", (value, keyword) => equality(listOf(value, keyword), keyword)],
  ["const", (value, keyword) => equality([value], keyword)],
  ["maximum", ofNumbers((value, limit) => value <= limit)],
  ["minimum", ofNumbers((value, limit) => value >= limit)],
  ["exclusiveMaximum", ofNumbers((value, limit) => value < limit)],
  ["exclusiveMinimum", ofNumbers((value, limit) => value > limit)],
  ["multipleOf", readMultipleOf],
  ["maxLength", ofTexts((text, limit) => text.length <= limit || characters(text) <= limit)],
  ["minLength", ofTexts((text, limit) => text.length >= limit && characters(text) >= limit)],
  ["pattern", readPattern],
  ["maxItems", ofLists((list, limit) => list.length <= limit)],
  ["minItems", ofLists((list, limit) => list.length >= limit)],
  ["uniqueItems", readUniqueItems],
  ["maxProperties", ofObjects((object, limit) => Object.keys(object).length <= limit)],
  ["minProperties", ofObjects((object, limit) => Object.keys(object).length >= limit)],
  ["required", (value, keyword) => requirement(namesOf(value, keyword), keyword)],
]);

/** A check that an object has all of these members. */
export function requirement(names: readonly string[], keyword: string): Check {
  return (instance, visit) => {
    if (!isJsonObject(instance)) return true;
    const missing = names.find((name) => !Object.hasOwn(instance, name));
    return missing === undefined || fail(visit, `${keyword} ${JSON.stringify(missing)}`);
  };
}

const typeTests: ReadonlyMap<string, (instance: Json) => boolean> = new Map([
  ["null", (instance: Json) => instance === null],
  ["boolean", (instance: Json) => typeof instance === "boolean"],
  ["string", (instance: Json) => typeof instance === "string"],
  ["number", (instance: Json) => typeof instance === "number"],
  ["integer", (instance: Json) => Number.isInteger(instance)],
  ["array", (instance: Json) => Array.isArray(instance)],
  ["object", isJsonObject],
]);

function readType(value: Json, keyword: string): Check {
  const names = typeof value === "string" ? [value] : namesOf(value, keyword);
  const tests = names.map((name) => {
    const test = typeTests.get(name);
    if (test === undefined) throw unusable(`expected the name of a JSON type in "${keyword}"`);
    return test;
  });
  return (instance, visit) => tests.some((test) => test(instance)) || fail(visit, keyword);
}

function equality(values: readonly Json[], keyword: string): Check {
  const texts = new Set(values.map(canonicalJson));
  return (instance, visit) => texts.has(canonicalJson(instance)) || fail(visit, keyword);
}

function readMultipleOf(value: Json, keyword: string): Check {
  const step = numberOf(value, keyword);
  if (step <= 0) throw unusable(`expected a number above 0 as "${keyword}"`);
  return (instance, visit) =>
    typeof instance !== "number" || isMultipleOf(instance, step) || fail(visit, keyword);
}

function readPattern(value: Json, keyword: string): Check {
  const pattern = patternOf(value, keyword);
  return (instance, visit) =>
    typeof instance !== "string" || pattern.test(instance) || fail(visit, keyword);
}

function readUniqueItems(value: Json, keyword: string): Check {
  if (typeof value !== "boolean") throw unusable(`expected true or false as "${keyword}"`);
  return (instance, visit) => {
    if (!value || !Array.isArray(instance)) return true;
    const texts = new Set(instance.map(canonicalJson));
    return texts.size === instance.length || fail(visit, keyword);
  };
}

function ofNumbers(holds: (value: number, limit: number) => boolean): Assertion {
  return (value, keyword) => {
    const limit = numberOf(value, keyword);
    return (instance, visit) =>
      typeof instance !== "number" || holds(instance, limit) || fail(visit, keyword);
  };
}

function ofTexts(holds: (text: string, limit: number) => boolean): Assertion {
  return (value, keyword) => {
    const limit = countOf(value, keyword);
    return (instance, visit) =>
      typeof instance !== "string" || holds(instance, limit) || fail(visit, keyword);
  };
}

function ofLists(holds: (list: readonly Json[], limit: number) => boolean): Assertion {
  return (value, keyword) => {
    const limit = countOf(value, keyword);
    return (instance, visit) =>
      !Array.isArray(instance) || holds(instance, limit) || fail(visit, keyword);
  };
}

function ofObjects(holds: (object: JsonObject, limit: number) => boolean): Assertion {
  return (value, keyword) => {
    const limit = countOf(value, keyword);
    return (instance, visit) =>
      !isJsonObject(instance) || holds(instance, limit) || fail(visit, keyword);
  };
}

/** Length in characters: a pair of surrogates is one. */
function characters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at += 1) {
    if ((text.codePointAt(at) ?? 0) > 0xff_ff) count -= 1;
  }
  return count;
}
