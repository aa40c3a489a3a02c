import { describe, expect, test } from "vitest";
import type { Json } from "../../../../src/contract/json.ts";
import { compileSchema } from "../../../../src/policy/engine/schema/compile-schema.ts";

describe("a failure", () => {
  const failuresOf = (schema: Json, instance: Json) => compileSchema(schema).check(instance);

  test("names the place and the keyword, and never a value", () => {
    const schema = {
      properties: { "a/b": { items: { maxLength: 3 } }, "m~n": { type: "integer" } },
      required: ["id"],
      additionalProperties: false,
    };
    const failures = failuresOf(schema, {
      "a/b": ["ok", "secret"],
      "m~n": "secret",
      extra: "secret",
    });
    expect(failures).toEqual([
      { pointer: "", keyword: 'required "id"' },
      { pointer: "/a~1b/1", keyword: "maxLength" },
      { pointer: "/m~0n", keyword: "type" },
      { pointer: "/extra", keyword: "additionalProperties" },
    ]);
  });

  test("inside of branches is the branching itself", () => {
    const schema = { anyOf: [{ type: "string" }, { oneOf: [{ type: "integer" }] }] };
    expect(failuresOf(schema, null)).toEqual([{ pointer: "", keyword: "anyOf" }]);
  });

  test("is looked for only so often", () => {
    const names = Array.from({ length: 500 }, (_, place) => `p${place}`);
    const properties = Object.fromEntries(names.map((name) => [name, { type: "null" }]));
    const instance = Object.fromEntries(names.map((name) => [name, 1]));
    expect(failuresOf({ properties }, instance).length).toBeLessThan(6);
  });
});
