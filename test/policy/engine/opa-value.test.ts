import { describe, expect, it } from "vitest";
import { printOpaValue } from "../../../src/policy/engine/builtins/print-opa-value.ts";
import { readOpaValue } from "../../../src/policy/engine/opa-value.ts";

describe("a dumped value", () => {
  it.each([
    "null",
    "true",
    "false",
    "0",
    "-12.5e+300",
    "123456789012345678901234567890",
    '"a\\"b\\\\"',
    "[]",
    "{}",
    "set()",
    '[1, [2, {"a": set()}]]',
    "{1, 2}",
    '{"a": 1, "b": {3}}',
    '{1: "x", {2}: "y"}',
    "{{{{{{1}}}}}}",
  ])("is read and printed as it is: %s", (text) => {
    expect(printOpaValue(readOpaValue(text))).toBe(text);
  });

  it("keeps apart what json would not: sets, keys of other types, digits", () => {
    expect(readOpaValue("{1}")).toEqual({ kind: "set", items: [{ kind: "number", text: "1" }] });
    expect(readOpaValue("{1: 2}").kind).toBe("object");
    expect(readOpaValue("1.0")).toEqual({ kind: "number", text: "1.0" });
  });

  it("is read in time that grows with its length, however deep it is nested", () => {
    const deep = "{".repeat(500) + "1" + "}".repeat(500);
    expect(printOpaValue(readOpaValue(deep))).toBe(deep);
  });

  it.each([
    "",
    "nul",
    "[1,2]",
    "[1",
    "{1",
    '{"a":1}',
    '{"a": 1',
    "1 2",
    '"a',
    "{1, }",
    "undefined",
  ])("is refused when it is none: %s", (text) => {
    expect(() => readOpaValue(text)).toThrow(SyntaxError);
  });
});
