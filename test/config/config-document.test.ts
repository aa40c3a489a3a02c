import { describe, expect, test } from "vitest";
import { positionAt, valueAt } from "../../src/config/config-document.ts";
import { tokensOf } from "../../src/config/jsonc-tokens.ts";

describe("places in a document", () => {
  test("what an object inherits is not a member of it", () => {
    expect(valueAt({ a: { b: [1, 2] } }, ["a", "b", 1])).toBe(2);
    expect(valueAt({ a: {} }, ["a", "constructor"])).toBeUndefined();
    expect(valueAt("text", ["length"])).toBeUndefined();
  });

  test("lines and columns count from one", () => {
    expect(positionAt("a\nbc", 0)).toEqual({ line: 1, column: 1 });
    expect(positionAt("a\nbc", 3)).toEqual({ line: 2, column: 2 });
  });

  test("tokens cover the text without gaps, whatever it is", () => {
    for (const text of ['{"a" /* x */: [1, "b", null], }', '"open', "tru e \u0000", "{ a: b }"]) {
      const tokens = tokensOf(text);
      const ends = tokens.map(({ offset, length }) => offset + length);
      expect(tokens.map(({ offset }) => offset)).toEqual([0, ...ends.slice(0, -1)]);
      expect(ends.at(-1)).toBe(text.length);
    }
  });

  test("a string is a key only where a member's name can stand", () => {
    const keys = tokensOf('{"a": "b", "c" // x\n: ["d": 1]}').filter(({ kind }) => kind === "key");
    expect(keys.map(({ offset }) => offset)).toEqual([1, 11]);
  });
});
