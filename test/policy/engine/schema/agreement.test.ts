/**
 * The interpreter beside Ajv, on schemas and values that are made up. Keywords of which Ajv 8.20 has
 * another idea than the specification are not made: `$dynamicRef`, what was evaluated, and
 * `contains`, which beside `prefixItems` it does not check.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../../../../src/contract/json.ts";
import { compileSchema } from "../../../../src/policy/engine/schema/compile-schema.ts";

const names = fc.constantFrom("a", "b", "ab", "$x", "constructor");
const scalars = fc.constantFrom<Json[]>(null, true, false, 0, 1, 2, -1, 1.5, "", "a", "ab", "é💜");
const small = fc.nat({ max: 3 });

const instances = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    scalars,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const types = fc.constantFrom("null", "boolean", "integer", "number", "string", "array", "object");

const schemas = fc.letrec<{ schema: Json; object: Json }>((tie) => {
  const schema = tie("schema");
  const some = fc.array(schema, { minLength: 1, maxLength: 3 });
  const byName = fc.dictionary(names, schema, { maxKeys: 3, noNullPrototype: true });
  const keywords = {
    type: fc.oneof(types, fc.uniqueArray(types, { minLength: 1, maxLength: 3 })),
    enum: fc.uniqueArray(scalars, { minLength: 1, maxLength: 4 }),
    const: instances,
    minimum: fc.integer({ min: -2, max: 2 }),
    exclusiveMaximum: fc.integer({ min: -2, max: 3 }),
    multipleOf: fc.constantFrom(1, 2, 0.5),
    minLength: small,
    maxLength: small,
    pattern: fc.constantFrom("^a", "b$", "^.$", "\\p{L}"),
    minItems: small,
    maxItems: small,
    uniqueItems: fc.boolean(),
    prefixItems: some,
    items: schema,
    minProperties: small,
    maxProperties: small,
    required: fc.uniqueArray(names, { maxLength: 2 }),
    properties: byName,
    patternProperties: fc.dictionary(fc.constantFrom("^a", "b", "x$"), schema, {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    additionalProperties: schema,
    propertyNames: schema,
    dependentRequired: fc.dictionary(names, fc.uniqueArray(names, { maxLength: 2 }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    dependentSchemas: byName,
    allOf: some,
    anyOf: some,
    oneOf: some,
    not: schema,
    ...Object.fromEntries(["if", "then", "else"].map((keyword) => [keyword, schema])),
    $ref: fc.constantFrom("#/$defs/d", "#/$defs/e"),
  };
  return {
    schema: fc.oneof({ maxDepth: 4, depthSize: "small" }, fc.boolean(), tie("object")),
    object: fc
      .uniqueArray(fc.constantFrom(...Object.keys(keywords)), { minLength: 1, maxLength: 4 })
      .chain((chosen) =>
        fc.record(Object.fromEntries(Object.entries(keywords).filter(([k]) => chosen.includes(k)))),
      ),
  };
}).object;

const leaves = fc.constantFrom<Json[]>(
  { type: "string" },
  { required: ["a"] },
  { minimum: 1 },
  { properties: { a: { $ref: "#/$defs/d" } } },
);

test("agrees with Ajv on whether a value is valid", () => {
  let invalid = 0;
  let total = 0;
  fc.assert(
    fc.property(
      schemas,
      leaves,
      leaves,
      fc.array(instances, { minLength: 4, maxLength: 8 }),
      (made, d, e, values) => {
        // Through JSON, as they come: no shared objects, no prototypes.
        const schema: Json = JSON.parse(JSON.stringify({ ...Object(made), $defs: { d, e } }));
        const ajv = new Ajv2020({
          strict: false,
          validateFormats: false,
          logger: false,
          ownProperties: true,
          addUsedSchema: false,
        });
        const expected = ajv.compile(Object(schema));
        const found = compileSchema(schema);
        for (const value of values) {
          const wanted = verdictOf(expected, value);
          if (wanted === undefined) continue;
          total += 1;
          const isValid = found.check(value).length === 0;
          invalid += isValid ? 0 : 1;
          expect(isValid, JSON.stringify({ schema, value })).toBe(wanted);
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(invalid / total).toBeGreaterThan(0.2);
  expect(invalid / total).toBeLessThan(0.95);
}, 60_000);

/** Undefined where code that Ajv has made throws: it does for some schemas. */
function verdictOf(validate: (value: Json) => unknown, value: Json): boolean | undefined {
  try {
    return validate(value) === true;
  } catch {
    return undefined;
  }
}
