import { expect, test } from "vitest";
import { isSecretAt, SecretSchema } from "../../../src/decision/masking/secret-schema.ts";

/** Whether a schema calls what stands at a place secret; numbers are items. */
function isSecret(schema: unknown, ...path: readonly (string | number)[]): boolean {
  const secrets = new SecretSchema(schema);
  let schemas = secrets.start();
  for (const name of path) {
    schemas =
      typeof name === "number" ? secrets.item(schemas, name) : secrets.member(schemas, name);
  }
  return isSecretAt(schemas);
}

const password = { type: "string", format: "password" };
const writeOnly = { writeOnly: true };

test.each<[string, unknown, readonly (string | number)[]]>([
  ["a property", { properties: { p: password } }, ["p"]],
  ["a property of a property", { properties: { a: { properties: { p: writeOnly } } } }, ["a", "p"]],
  ["items", { properties: { a: { items: password } } }, ["a", 3]],
  ["items by place", { properties: { a: { prefixItems: [{}, password] } } }, ["a", 1]],
  ["what is contained", { properties: { a: { contains: password } } }, ["a", 0]],
  ["further properties", { additionalProperties: password }, ["any"]],
  [
    "properties by pattern, which is not run",
    { patternProperties: { "^(a+)+$": password } },
    ["b"],
  ],
  ["one branch of several", { anyOf: [{}, { allOf: [{ properties: { p: password } }] }] }, ["p"]],
  ["a condition's branch", { if: {}, else: { properties: { p: password } } }, ["p"]],
  ["a dependent schema", { dependentSchemas: { x: { properties: { p: password } } } }, ["p"]],
  ["a definition", { properties: { p: { $ref: "#/$defs/s" } }, $defs: { s: password } }, ["p"]],
  [
    "an anchor",
    { properties: { p: { $ref: "#s" } }, $defs: { s: { $anchor: "s", ...password } } },
    ["p"],
  ],
  [
    "a schema that holds itself",
    { properties: { n: { $ref: "#" }, p: password } },
    ["n", "n", "p"],
  ],
  ["the arguments themselves", writeOnly, []],
])("%s is secret", (_, schema, path) => {
  expect(isSecret(schema, ...path)).toBe(true);
});

test("what no schema calls secret is none, whatever the schema is made of", () => {
  expect(isSecret({ properties: { p: password } }, "q")).toBe(false);
  expect(isSecret({ properties: { p: { writeOnly: "yes" } } }, "p")).toBe(false);
  expect(isSecret({ properties: { p: { $ref: "#/nowhere/%zz" } } }, "p")).toBe(false);
  expect(isSecret({ properties: { p: { $ref: "https://example.com/s" } } }, "p")).toBe(false);
  expect(isSecret({ properties: Object.create({ p: password }) }, "p")).toBe(false);
  for (const schema of [null, true, 1, "x", []]) expect(isSecret(schema, "p", 0)).toBe(false);
});

test("a circle of references ends, and a schema with too many branches makes all secret", () => {
  const circle = {
    $ref: "#/$defs/a",
    $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } },
  };
  expect(isSecret(circle, "p")).toBe(false);
  expect(isSecret({ anyOf: Array.from({ length: 1000 }, () => ({})) })).toBe(true);
});
