import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeJsonText } from "../../../src/policy/engine/json-text.ts";

const decode = (text: string): unknown => JSON.parse(Buffer.from(encodeJsonText(text)).toString());

describe("json text for a policy", () => {
  it("means the same as before, whatever is in it", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "grapheme-composite" }), (value) => {
        expect(decode(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("holds no escape of a surrogate any more", () => {
    const escaped = String.raw`"\ud83d\ude00 \uD83D\uDE00 \\ud83d\\ude00 \u0041"`;
    expect(Buffer.from(encodeJsonText(escaped)).toString()).toBe(
      String.raw`"😀 😀 \\ud83d\\ude00 \u0041"`,
    );
  });

  it.each([
    ["a first half", String.raw`"\ud83d"`],
    ["a second half", String.raw`"\ude00"`],
    ["two first halves", String.raw`"\ud83d\ud83d"`],
    ["a half before another escape", String.raw`"\ud83d\n"`],
    ["a half behind an escaped backslash", String.raw`"\\\ud83d"`],
    ["a half as a character", '"\ud83d"'],
  ])("is refused with %s", (_, text) => {
    expect(() => encodeJsonText(text)).toThrow("half a character");
  });
});
