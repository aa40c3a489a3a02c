import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalFile } from "../../../src/bundle/verify/canonical-file.ts";

const canonical = (text: string): string => canonicalFile(Buffer.from(text));

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (thrown) {
    return thrown;
  }
}

describe("the canonical form of a JSON file", () => {
  test.each<[string, string]>([
    ['{ "b" : 1 , "a" : [ true , null ] }', '{"a":[true,null],"b":1}'],
    ["1.0", "1.0"],
    ["12345678901234567890", "12345678901234567890"],
    ["[-0, 1E5, 0.10]", "[-0,1E5,0.10]"],
    [String.raw`"\u0061\/\b\f\n\r\t\u001F"`, String.raw`"a/\b\f\n\r\t\u001f"`],
    [String.raw`"<&>é\u007f"`, '"<&>é\u007f"'],
    ['"\u2028\u2029"', String.raw`"\u2028\u2029"`],
    [String.raw`"\ud800x"`, '"\ufffdx"'],
    ["{}", "{}"],
    ["[ ]", "[]"],
    ["\ufeff[]", "[]"],
    [' "x" ', '"x"'],
  ])("of %j is %j", (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  test("has its keys in the order of their bytes, not of UTF-16", () => {
    expect(canonical('{"\u{1f600}":1,"\uff5e":2,"z":3}')).toBe('{"z":3,"\uff5e":2,"\u{1f600}":1}');
  });

  test("of a string of any length is that string", () => {
    const long = JSON.stringify("x\\".repeat(5 * 1024 * 1024));
    expect(canonical(long) === long).toBe(true);
    expect(canonical(`{${long}:${long}}`) === `{${long}:${long}}`).toBe(true);
  });

  test.each([
    "",
    "{",
    '"',
    '"a',
    '"\\',
    '"a\\"',
    String.raw`"\u12"`,
    '{"a',
    "[1,]",
    "[1 2]",
    '{"a":1,}',
    '{"a" 1}',
    "{a:1}",
    "01",
    "1.",
    "+1",
    ".5",
    "NaN",
    "tru",
    '"\n"',
    String.raw`"\x"`,
    "[] []",
    "'a'",
    "// x\n1",
  ])("is none of %j", (text) => {
    expect(() => canonical(text)).toThrow(SyntaxError);
  });

  test("is refused without a word of the text in the message", () => {
    const message = String(thrownBy(() => canonical(String.raw`"s3cret \x"`)));
    expect(message).toContain("string");
    expect(message).not.toContain("s3cret");
  });

  test("is none where a member is there twice, however it is spelt", () => {
    expect(() => canonical(String.raw`{"a":1,"\u0061":2}`)).toThrow("twice");
    expect(() => canonical(String.raw`{"\ud800":1,"\ud801":2}`)).toThrow("twice");
  });

  test("is none of other bytes than UTF-8, and of endless nesting", () => {
    expect(() => canonicalFile(Buffer.from([0x22, 0xff, 0x22]))).toThrow("UTF-8");
    expect(() => canonical("[".repeat(100_000))).toThrow("deep");
  });

  test("means what the file means, and is its own canonical form", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 3), (value, space) => {
        const text = JSON.stringify(value, null, space);
        const form = canonical(text);
        expect(JSON.parse(form)).toEqual(JSON.parse(text));
        expect(canonical(form)).toBe(form);
      }),
    );
  });
});
