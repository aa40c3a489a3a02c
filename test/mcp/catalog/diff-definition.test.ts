import { describe, expect, test } from "vitest";
import { diffDefinition } from "../../../src/mcp/catalog/diff-definition.ts";

describe("the difference of two definitions", () => {
  test("is none between those with one digest", () => {
    expect(diffDefinition({ a: 1, b: [{}] }, { b: [{}], a: 1 })).toEqual([]);
  });

  test("is each leaf that was changed, taken out or added, at its place", () => {
    const before = {
      name: "a",
      description: "old",
      inputSchema: { type: "object", required: ["x"] },
    };
    const after = {
      name: "a",
      inputSchema: { type: "object", required: ["x", "y"], properties: { "a/b~": null } },
      icons: [],
    };
    expect(diffDefinition(before, after)).toEqual([
      { pointer: "/description", before: '"old"', after: undefined },
      { pointer: "/inputSchema/required/1", before: undefined, after: '"y"' },
      { pointer: "/inputSchema/properties", before: undefined, after: '{"a/b~":null}' },
      { pointer: "/icons", before: undefined, after: "[]" },
    ]);
  });

  test("tells an object from an array, null from nothing, and escapes what it points at", () => {
    expect(
      diffDefinition({ a: [], b: null, c: { "x/y~": 1 } }, { a: {}, c: { "x/y~": 2 } }),
    ).toEqual([
      { pointer: "/a", before: "[]", after: "{}" },
      { pointer: "/b", before: "null", after: undefined },
      { pointer: "/c/x~1y~0", before: "1", after: "2" },
    ]);
  });
});
