import { describe, expect, test } from "vitest";
import type { Json } from "../../../../src/contract/json.ts";
import { compileSchema } from "../../../../src/policy/engine/schema/compile-schema.ts";

const isValid = (schema: Json, instance: Json): boolean =>
  compileSchema(schema).check(instance).length === 0;

describe("a reference", () => {
  test("names a place by a JSON pointer, escapes of URIs and of pointers included", () => {
    const schema = {
      $defs: { "a/b": { "m~n": { type: "integer" } }, "p%q": { minimum: 3 } },
      properties: { a: { $ref: "#/$defs/a~1b/m~0n" }, b: { $ref: "#/$defs/p%25q" } },
    };
    expect(isValid(schema, { a: 1, b: 3 })).toBe(true);
    expect(isValid(schema, { a: "1" })).toBe(false);
    expect(isValid(schema, { b: 2 })).toBe(false);
  });

  test("may lead back to where it stands, for trees of any depth", () => {
    const schema = {
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#" } } },
      additionalProperties: false,
    };
    expect(isValid(schema, { children: [{ children: [{}, {}] }] })).toBe(true);
    expect(isValid(schema, { children: [{ children: [{ x: 1 }] }] })).toBe(false);
  });

  test("names an anchor, or a schema by its own URI", () => {
    const schema = {
      $id: "https://x.example/root.json",
      $defs: {
        one: { $anchor: "one", const: 1 },
        two: { $id: "folder/two.json", $defs: { inner: { $anchor: "inner", const: 2 } } },
        three: { $id: "urn:x:three", const: 3 },
      },
      prefixItems: [
        { $ref: "#one" },
        { $ref: "folder/two.json#inner" },
        { $ref: "https://x.example/folder/two.json#/$defs/inner" },
        { $ref: "urn:x:three" },
      ],
    };
    expect(isValid(schema, [1, 2, 2, 3])).toBe(true);
    for (const wrong of [[2], [1, 1], [1, 2, 3], [1, 2, 2, 2]]) {
      expect(isValid(schema, wrong)).toBe(false);
    }
  });

  test("that is dynamic takes the outermost anchor of its name that it came through", () => {
    const tree = {
      $id: "https://x.example/tree",
      $dynamicAnchor: "node",
      type: "object",
      properties: { children: { items: { $dynamicRef: "#node" } } },
    };
    const strict = {
      $id: "https://x.example/strict",
      $dynamicAnchor: "node",
      $ref: "tree",
      unevaluatedProperties: false,
      $defs: { tree },
    };
    expect(isValid(strict, { children: [{ children: [] }] })).toBe(true);
    expect(isValid(strict, { children: [{ kids: [] }] })).toBe(false);
    expect(isValid(tree, { children: [{ kids: [] }] })).toBe(true);
  });

  test("that is dynamic and finds no dynamic anchor is one like any other", () => {
    const schema = {
      $defs: { a: { $anchor: "node", type: "string" } },
      items: { $dynamicRef: "#node" },
    };
    expect(isValid(schema, ["a"])).toBe(true);
    expect(isValid(schema, [1])).toBe(false);
  });

  test("that is recursive, in 2019-09, leads to the outermost schema that says so", () => {
    const tree = {
      $id: "tree",
      $recursiveAnchor: true,
      properties: { children: { items: { $recursiveRef: "#" } } },
    };
    const strict = {
      $schema: "https://json-schema.org/draft/2019-09/schema",
      $id: "https://x.example/strict",
      $recursiveAnchor: true,
      $ref: "tree",
      unevaluatedProperties: false,
      $defs: { tree },
    };
    expect(isValid(strict, { children: [{ children: [] }] })).toBe(true);
    expect(isValid(strict, { children: [{ kids: [] }] })).toBe(false);
  });

  test("is not one where it is a member of an instance, a property name or an enum's element", () => {
    const schema = {
      properties: { $ref: { type: "string" }, $id: { type: "string" } },
      enum: [{ $ref: "#/nowhere", $id: "x" }],
    };
    expect(isValid(schema, { $ref: "#/nowhere", $id: "x" })).toBe(true);
    expect(isValid(schema, { $ref: "#/elsewhere", $id: "x" })).toBe(false);
  });
});
