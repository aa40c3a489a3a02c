import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  agreesWithBody,
  decodeHeaderValue,
  encodeHeaderValue,
  headerTextOf,
} from "../../../src/mcp/wire/header-value.ts";

describe("a mirrored header value", () => {
  // The table of "Value Encoding", MCP 2026-07-28.
  test.each([
    ["us-west1", "us-west1"],
    ["Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="],
    [" padded ", "=?base64?IHBhZGRlZCA=?="],
    ["line1\nline2", "=?base64?bGluZTEKbGluZTI=?="],
    ["=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
    ["two words", "two words"],
    ["\tindented", "=?base64?CWluZGVudGVk?="],
    ["", "=?base64??="],
    ["=?base64?SGVsbG8", "=?base64?SGVsbG8"],
  ])("of %j is %j", (text, value) => {
    expect(encodeHeaderValue(text)).toBe(value);
    expect(decodeHeaderValue(value)).toBe(text);
  });

  test("carries every well-formed text there and back, in characters that a field may hold", () => {
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
    fc.assert(
      fc.property(texts, (text) => {
        const value = encodeHeaderValue(text);
        expect(value).toMatch(/^[\u0020-\u007e]+$/);
        expect(value.trim()).toBe(value);
        expect(decodeHeaderValue(value)).toBe(text);
      }),
    );
  });

  test.each([
    ["without its padding", "=?base64?SGVsbG8?="],
    ["of other characters", "=?base64?SGVs!!!bG8=?="],
    ["that is not UTF-8", "=?base64?/w==?="],
    ["of the URL alphabet", "=?base64?PT9-_w==?="],
  ])("is refused where it wraps Base64 %s", (_, value) => {
    expect(decodeHeaderValue(value)).toBeUndefined();
  });

  test.each(["caf\u00e9", "a\u0000b", "a\u007f", "a\r\nX-Injected: 1"])(
    "is refused where it holds what no field value may: %j",
    (value) => expect(decodeHeaderValue(value)).toBeUndefined(),
  );

  test("overlapping ends of the wrapper are plain text", () => {
    expect(decodeHeaderValue("=?base64?=")).toBe("=?base64?=");
  });
});

describe("the text of an argument", () => {
  test.each([
    ["x", "x"],
    [-7, "-7"],
    [42, "42"],
    [true, "true"],
    [false, "false"],
  ])("%j is %j", (value, text) => expect(headerTextOf(value)).toBe(text));

  test.each([null, 1.5, 2 ** 53, {}, []].map((value) => [value]))("%j has none", (value) =>
    expect(headerTextOf(value)).toBeUndefined(),
  );

  test("agrees with the body as a number where the body has one", () => {
    expect(agreesWithBody("42.0", 42)).toBe(true);
    expect(agreesWithBody("42", 42)).toBe(true);
    expect(agreesWithBody("43", 42)).toBe(false);
    expect(agreesWithBody("", 0)).toBe(false);
    expect(agreesWithBody("0x2a", 42)).toBe(false);
    expect(agreesWithBody("42.0", "42")).toBe(false);
    expect(agreesWithBody("true", true)).toBe(true);
    expect(agreesWithBody("x", undefined)).toBe(false);
  });
});
