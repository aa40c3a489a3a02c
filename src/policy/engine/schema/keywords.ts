/**
 * Which keywords a dialect has, in the order in which they are checked: those that look at a value
 * alone first, those that ask what the others have seen last. A keyword that is not here is an
 * annotation.
 */
import * as arrays from "./array-keywords.ts";
import { assertions } from "./assertions.ts";
import * as combining from "./combining-keywords.ts";
import type { Dialect } from "./dialect.ts";
import { isSince } from "./dialect.ts";
import * as objects from "./object-keywords.ts";
import type { Keyword } from "./schema-subject.ts";

interface Row {
  readonly name: string;
  readonly keyword: Keyword;
  readonly since?: Dialect;
  readonly until?: Dialect;
}

const rows: readonly Row[] = [
  ...[...assertions].map(([name, read]) => ({
    name,
    keyword: ((value, _, keyword) => read(value, keyword)) satisfies Keyword,
  })),
  { name: "$ref", keyword: combining.reference },
  { name: "$dynamicRef", keyword: combining.dynamicReference, since: "2020-12" },
  {
    name: "$recursiveRef",
    keyword: combining.dynamicReference,
    since: "2019-09",
    until: "2019-09",
  },
  { name: "properties", keyword: objects.properties },
  { name: "patternProperties", keyword: objects.patternProperties },
  { name: "additionalProperties", keyword: objects.additionalProperties },
  { name: "propertyNames", keyword: objects.propertyNames },
  // Newer dialects have it for compatibility.
  { name: "dependencies", keyword: objects.dependencies },
  { name: "dependentRequired", keyword: objects.dependentRequired, since: "2019-09" },
  { name: "dependentSchemas", keyword: objects.dependentSchemas, since: "2019-09" },
  { name: "prefixItems", keyword: arrays.prefixItems, since: "2020-12" },
  { name: "items", keyword: arrays.items },
  { name: "additionalItems", keyword: arrays.additionalItems, until: "2019-09" },
  { name: "contains", keyword: arrays.contains },
  { name: "allOf", keyword: combining.allOf },
  { name: "anyOf", keyword: combining.anyOf },
  { name: "oneOf", keyword: combining.oneOf },
  { name: "not", keyword: combining.not },
  { name: "if", keyword: combining.condition, since: "draft-07" },
  { name: "then", keyword: combining.branch, since: "draft-07" },
  { name: "else", keyword: combining.branch, since: "draft-07" },
  { name: "unevaluatedItems", keyword: arrays.unevaluatedItems, since: "2019-09" },
  { name: "unevaluatedProperties", keyword: objects.unevaluatedProperties, since: "2019-09" },
];

/** Keywords of a dialect by name, in the order of their checks. */
export function keywordsOf(dialect: Dialect): ReadonlyMap<string, Keyword> {
  const known = rows.filter(
    ({ since, until }) =>
      (since === undefined || isSince(dialect, since)) &&
      (until === undefined || isSince(until, dialect)),
  );
  return new Map(known.map(({ name, keyword }) => [name, keyword]));
}
