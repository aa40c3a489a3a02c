import { describe, expect, test } from "vitest";
import type { Json } from "../../../../src/contract/json.ts";
import { compileSchema } from "../../../../src/policy/engine/schema/compile-schema.ts";

const isValid = (schema: Json, instance: Json): boolean =>
  compileSchema(schema).check(instance).length === 0;

/** For schemas that would look like promises. */
const parse = (text: string): Json => JSON.parse(text);

/** Name, schema, instances that are valid, instances that are not. */
type Row = readonly [string, Json, readonly Json[], readonly Json[]];

const onValues: readonly Row[] = [
  ["true", true, [1, null, {}], []],
  ["false", false, [], [1, null, {}]],
  ["type", { type: "string" }, ["", "a"], [1, null, [], {}, true]],
  ["a list of types", { type: ["integer", "null"] }, [1, null, -0], [1.5, "1", [], {}]],
  ["type object", { type: "object" }, [{}], [[], null, "{}"]],
  ["type array", { type: "array" }, [[]], [{}, null]],
  ["type number", { type: "number" }, [1, 1.5], ["1", null]],
  ["type boolean", { type: "boolean" }, [true, false], [0, "true", null]],
  ["enum", { enum: [1, "a", null, { b: 2, a: [1] }] }, [1, "a", null, { a: [1], b: 2 }], ["1", 2]],
  ["an empty enum", { enum: [] }, [], [null, 1]],
  ["const", { const: { a: 0 } }, [{ a: 0 }, { a: -0 }], [{ a: false }, { a: 0, b: 1 }, null]],
  ["const null", { const: null }, [null], [0, "", false, {}]],
  ["minimum", { minimum: 2 }, [2, 3, "1"], [1.999, -5]],
  ["maximum", { maximum: 2 }, [2, -3, [9]], [2.001]],
  ["exclusiveMinimum", { exclusiveMinimum: 0 }, [0.1], [0, -1]],
  ["exclusiveMaximum", { exclusiveMaximum: 0 }, [-0.1], [0, 1]],
  ["multipleOf", { multipleOf: 0.01 }, [0.07, 4.35, 19.99, 0, "x"], [0.075, 1.001]],
  ["multipleOf of small numbers", { multipleOf: 0.0001 }, [0.0075], [0.00751]],
  ["multipleOf of large numbers", { multipleOf: 0.5 }, [1e300], []],
  ["minLength in characters", { minLength: 2 }, ["ab", "𝟙𝟚", 1], ["a", "𝟙"]],
  ["maxLength in characters", { maxLength: 2 }, ["ab", "𝟙𝟚", 1], ["abc", "𝟙𝟚𝟛"]],
  ["pattern anywhere", { pattern: "b+" }, ["abc", 1], ["ac", ""]],
  ["pattern in Unicode", { pattern: "^\\p{Lu}.$" }, ["Ä💜"], ["ä💜", "Ä💜💜"]],
  ["pattern with needless escapes", { pattern: "^[\\w\\-]+\\@x$" }, ["a-b@x"], ["a b@x"]],
  ["format as an annotation", { format: "email" }, ["nobody", "a@b"], []],
];

const onObjects: readonly Row[] = [
  ["required", { required: ["a", "toString"] }, [{ a: 1, toString: 2 }, []], [{ a: 1 }, {}]],
  ["minProperties", { minProperties: 1 }, [{ a: 1 }, []], [{}]],
  ["maxProperties", { maxProperties: 1 }, [{ a: 1 }, {}], [{ a: 1, b: 2 }]],
  [
    "properties",
    { properties: { a: { type: "integer" }, b: false } },
    [{ a: 1 }, { c: "x" }, [], "x"],
    [{ a: "1" }, { b: null }],
  ],
  [
    "additionalProperties",
    { properties: { a: true }, patternProperties: { "^x-": true }, additionalProperties: false },
    [{ a: 1, "x-b": 2 }, {}],
    [{ a: 1, b: 2 }, { constructor: 1 }, { "y-x-": 1 }],
  ],
  [
    "additionalProperties with a schema",
    { properties: { a: true }, additionalProperties: { type: "string" } },
    [{ a: 1, b: "2" }],
    [{ a: 1, b: 2 }],
  ],
  [
    "patternProperties",
    { patternProperties: { "^n": { type: "number" }, x$: { minimum: 5 } } },
    [{ n: 1, x: "5", nx: 5 }],
    [{ n: "1" }, { x: 4 }, { nx: 4 }, { nx: "5" }],
  ],
  ["propertyNames", { propertyNames: { maxLength: 2 } }, [{ ab: 1 }, []], [{ abc: 1 }]],
  [
    "dependentRequired",
    { dependentRequired: { a: ["b"] } },
    [{ a: 1, b: 1 }, { b: 1 }],
    [{ a: 1 }],
  ],
  [
    "dependentSchemas",
    { dependentSchemas: { a: { maxProperties: 1 } } },
    [{ a: 1 }, { b: 1, c: 2 }],
    [{ a: 1, b: 2 }],
  ],
];

const onArrays: readonly Row[] = [
  ["minItems", { minItems: 1 }, [[1], {}], [[]]],
  ["maxItems", { maxItems: 1 }, [[1], []], [[1, 2]]],
  [
    "uniqueItems",
    { uniqueItems: true },
    [[1, "1", true, [1], { a: 1 }], []],
    [
      [1, 1],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      [[0], [-0]],
    ],
  ],
  ["uniqueItems false", { uniqueItems: false }, [[1, 1]], []],
  ["items", { items: { type: "integer" } }, [[1, 2], [], {}], [[1, "2"]]],
  [
    "prefixItems and items",
    { prefixItems: [{ type: "string" }, true], items: false },
    [["a", 1], ["a"], []],
    [[1], ["a", 1, 2]],
  ],
  ["contains", { contains: { const: 1 } }, [[1], [2, 1, 1], {}], [[], [2]]],
  [
    "minContains and maxContains",
    { contains: { const: 1 }, minContains: 2, maxContains: 3 },
    [
      [1, 1],
      [1, 2, 1, 1],
    ],
    [[1], [1, 1, 1, 1]],
  ],
  ["minContains 0", { contains: { const: 1 }, minContains: 0 }, [[], [2]], []],
];

const onBranches: readonly Row[] = [
  ["allOf", { allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3]],
  ["anyOf", { anyOf: [{ const: 1 }, { type: "string" }] }, [1, "x"], [2, null]],
  ["oneOf", { oneOf: [{ minimum: 1 }, { multipleOf: 2 }] }, [1, -2], [2, -1]],
  ["not", { not: { type: "string" } }, [1, null], ["x"]],
  [
    "if, then and else",
    parse('{"if":{"minimum":10},"then":{"multipleOf":10},"else":{"multipleOf":3}}'),
    [20, 9],
    [11, 8],
  ],
  ["if alone", { if: false }, [1], []],
  ["then without if", parse('{"then":false,"else":false}'), [1], []],
];

const onWhatOthersSaw: readonly Row[] = [
  [
    "unevaluatedProperties past allOf",
    { allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
    [{ a: 1 }],
    [{ b: 1 }],
  ],
  [
    "unevaluatedProperties in a cousin",
    { allOf: [{ properties: { a: true } }, { unevaluatedProperties: false }] },
    [{}],
    [{ a: 1 }],
  ],
  [
    "unevaluatedProperties past a branch that is not taken",
    {
      anyOf: [
        { properties: { a: { const: 1 } }, required: ["a"] },
        { properties: { b: { const: 1 } }, required: ["b"] },
      ],
      unevaluatedProperties: false,
    },
    [{ a: 1 }, { b: 1 }, { a: 1, b: 1 }],
    [
      { a: 1, b: 2 },
      { a: 1, c: 1 },
    ],
  ],
  [
    "unevaluatedProperties past if without then",
    { if: { properties: { a: { const: 1 } }, required: ["a"] }, unevaluatedProperties: false },
    [{ a: 1 }],
    [{ a: 2 }, { a: 1, b: 1 }],
  ],
  [
    "unevaluatedProperties past not",
    { not: { not: { properties: { a: true } } }, unevaluatedProperties: false },
    [{}],
    [{ a: 1 }],
  ],
  [
    "unevaluatedProperties past a reference",
    {
      $defs: { base: { properties: { a: true } } },
      $ref: "#/$defs/base",
      unevaluatedProperties: { type: "integer" },
    },
    [{ a: "x", b: 1 }],
    [{ a: "x", b: "x" }],
  ],
  [
    "unevaluatedItems past prefixItems and contains",
    { prefixItems: [true], contains: { type: "string" }, unevaluatedItems: false },
    [
      [1, "a"],
      ["a", "b"],
    ],
    [
      [1, "a", 2],
      [1, 2],
    ],
  ],
  [
    "unevaluatedItems past items",
    { allOf: [{ items: { type: "integer" } }], unevaluatedItems: false },
    [[1, 2]],
    [["a"]],
  ],
];

const draft07 = "http://json-schema.org/draft-07/schema#";
const onOlderDialects: readonly Row[] = [
  [
    "items by place in draft-07",
    { $schema: draft07, items: [{ type: "string" }], additionalItems: { type: "integer" } },
    [["a", 1], []],
    [[1], ["a", "b"]],
  ],
  [
    "dependencies in draft-07",
    { $schema: draft07, dependencies: { a: ["b"], c: { required: ["d"] } } },
    [{ a: 1, b: 1 }, { c: 1, d: 1 }, {}],
    [{ a: 1 }, { c: 1 }],
  ],
  [
    "$ref in draft-07, which counts alone",
    { $schema: draft07, $ref: "#/definitions/a", maximum: 1, definitions: { a: { minimum: 0 } } },
    [0, 2],
    [-1],
  ],
  [
    "no unevaluatedProperties in draft-07",
    { $schema: draft07, unevaluatedProperties: false },
    [{ a: 1 }],
    [],
  ],
  [
    "no if in draft-06",
    parse('{"$schema":"http://json-schema.org/draft-06/schema","if":true,"then":false}'),
    [1],
    [],
  ],
  [
    "items by place in 2019-09",
    { $schema: "https://json-schema.org/draft/2019-09/schema", items: [{ const: 1 }] },
    [[1, 9]],
    [[2]],
  ],
  [
    "https and no # in $schema",
    { $schema: "https://json-schema.org/draft-07/schema", const: 1 },
    [1],
    [2],
  ],
];

describe.each([
  ["a value", onValues],
  ["an object", onObjects],
  ["an array", onArrays],
  ["branches", onBranches],
  ["what others saw", onWhatOthersSaw],
  ["older dialects", onOlderDialects],
])("a schema about %s", (_, rows) => {
  test.each(rows)("checks %s", (_name, schema, valid, invalid) => {
    for (const instance of valid)
      expect(isValid(schema, instance), JSON.stringify(instance)).toBe(true);
    for (const instance of invalid) {
      expect(isValid(schema, instance), JSON.stringify(instance)).toBe(false);
    }
    expect(valid.length + invalid.length).toBeGreaterThan(0);
  });
});
