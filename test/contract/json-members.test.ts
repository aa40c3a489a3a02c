/**
 * JSON text is taken apart without a change to any of its parts, and what is not whole is an error.
 */
import { describe, expect, test } from "vitest";
import {
  jsonItems,
  jsonMembers,
  jsonString,
  toJsonObject,
} from "../../src/contract/json-members.ts";

const text =
  ' { "n" : 12345678901234567890.10 ,"s":"a\\"}\\\\","deep":{"x":[{"}":"]"},[]]},"q\\u0022":null, "e":"" } ';

describe("members of JSON text", () => {
  test("keep their own text, whatever stands in their strings", () => {
    expect([...jsonMembers(text)]).toEqual([
      ["n", "12345678901234567890.10"],
      ["s", '"a\\"}\\\\"'],
      ["deep", '{"x":[{"}":"]"},[]]}'],
      ['q"', "null"],
      ["e", '""'],
    ]);
    expect([...jsonMembers("{}")]).toEqual([]);
  });

  test("are read as far as somebody wants them", () => {
    expect([...jsonMembers('{"a":1,"b":{},"c":broken', new Set(["b"]))]).toEqual([["b", "{}"]]);
    expect([...jsonMembers('{"a":1,"b":{}}', new Set(["b", "c"]))]).toEqual([["b", "{}"]]);
  });

  test("and items of lists agree with JSON.parse", () => {
    const list = '[1, "a,]\\\\", {"b":[2]} ,[],true]';
    expect(jsonItems(list).map((item): unknown => JSON.parse(item))).toEqual(JSON.parse(list));
    expect(JSON.parse(toJsonObject(jsonMembers(text)))).toEqual(JSON.parse(text));
  });

  test.each([
    "",
    "[]",
    '{"a":1',
    '{"a":{"b":1}',
    '{"a":"b}',
    '{"a":"b\\"}',
    '{"a" 1}',
    '{"a":}',
    '{"a":1 "b":2}',
    "{a:1}",
  ])("are refused of %j", (broken) => {
    expect(() => jsonMembers(broken)).toThrow(SyntaxError);
  });

  test("that are strings are read, and nothing else is one", () => {
    expect(jsonString('"plain ü"')).toBe("plain ü");
    expect(jsonString('"\\u00fc\\n\\""')).toBe('ü\n"');
    expect(["1", "null", "{}", ""].map(jsonString)).toEqual(["", "", "", ""]);
  });
});
