import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasHidden, showHidden } from "../../../src/contract/hidden-characters.ts";
import { cleanJson, mayHoldHidden } from "../../../src/mcp/wire/clean-json.ts";

/** All but ASCII as escapes, as many servers write it. */
function escaped(json: string): string {
  return json.replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const tag = "\u{e0041}";
const scotland = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
const hidden = [
  "\u001b[2J",
  "a\bb",
  "\u0000",
  "\u007f",
  "\u009b",
  "\u202e",
  "\u2069",
  "\ufffa",
  tag,
  "\u{e01f5}",
  "\u200b\u200c\u200b\u200c",
  "\ufeff\u00ad\u034f\u061c",
  "\u180b\u115f\u17b4\u3164",
  "\uffa0\ufff0\ufe0f\u2064",
  "\u{1bca0}\u{1d173}\u{1d17a}\u{e0100}",
];

describe("hidden characters in JSON", () => {
  test.each(hidden)("are found and shown, raw and as escapes: %j", (text) => {
    for (const json of [JSON.stringify({ text }), escaped(JSON.stringify({ text }))]) {
      expect(mayHoldHidden(Buffer.from(json))).toBe(true);
      const cleaned = cleanJson(json, "escape");
      expect(cleaned.changed).toBeGreaterThan(0);
      expect(JSON.parse(cleaned.text)).toEqual({ text: showHidden(text, "escape") });
    }
  });

  test("are found in upper-case escapes too", () => {
    const json = String.raw`{"a":"\u001B","b":"\u202E","c":"\uDB40\uDC41"}`;

    expect(mayHoldHidden(Buffer.from(json))).toBe(true);
    expect(JSON.parse(cleanJson(json, "remove").text)).toEqual({ a: "", b: "", c: "" });
  });

  test("are taken out of names too", () => {
    expect(cleanJson('{"a\u202eb":1}', "escape").text).toBe(String.raw`{"a\\u202eb":1}`);
  });

  test("do not hide behind a run of escapes that is longer than one look at it", () => {
    for (const length of [1022, 1023, 1024, 1025]) {
      const json = escaped(JSON.stringify(`${"é".repeat(length)}${tag}`));
      expect(JSON.parse(cleanJson(json, "remove").text)).toBe("é".repeat(length));
    }
  });

  test("leave all other bytes alone: numbers, spaces, members that stand twice", () => {
    const json = '{ "a" : 12345678901234567890.10, "a":"\\u001b","path":"C:\\\\bin\\\\u001b" }';

    expect(cleanJson(json, "remove").text).toBe(
      '{ "a" : 12345678901234567890.10, "a":"","path":"C:\\\\bin\\\\u001b" }',
    );
  });

  test("are not seen where there are none, and the text is the same", () => {
    const path = JSON.stringify({ path: "C:\\bin\\u001b\\", text: `می\u200cخواهم ${scotland} ❤️` });
    for (const json of [path, escaped(path)]) {
      expect(cleanJson(json, "escape")).toEqual({ text: json, changed: 0, isWhole: true });
    }
    const plain = JSON.stringify({ text: "plain\ttext\n", chinese: "中文" });
    expect(mayHoldHidden(Buffer.from(plain))).toBe(false);
    expect(mayHoldHidden(Buffer.from(escaped(plain)))).toBe(false);
  });

  test("are not looked for without end, and that is said", () => {
    const many = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, at) => `\u001b${"\u200d".repeat(at % 3)}`));
    const different = (count: number) =>
      escaped(
        JSON.stringify(
          Array.from({ length: count }, (_, at) =>
            String.fromCharCode(0x4e00 + (at % 300), 0x4e00 + Math.floor(at / 300), 0x200d),
          ),
        ),
      );
    expect(cleanJson(many(200_000), "remove")).toMatchObject({ changed: 200_000, isWhole: true });
    expect(cleanJson(different(65_536), "remove").isWhole).toBe(true);
    expect(cleanJson(different(65_537), "remove").isWhole).toBe(false);
  });

  test("are never missed by the quick look, and never left over, in any JSON however it is written", () => {
    const piece = fc.oneof(
      fc.constantFrom(...hidden, scotland, "\\", '"', "\u200d", "\\u001b", "b"),
      fc.string({ unit: "grapheme" }),
    );
    const text = fc.array(piece).map((parts) => parts.join(""));
    const value = fc.dictionary(text, fc.oneof(text, fc.array(text), fc.double()));
    fc.assert(
      fc.property(value, fc.boolean(), (one, isEscaped) => {
        const written = JSON.stringify(one);
        const json = isEscaped ? escaped(written) : written;
        const cleaned = cleanJson(json, "escape");
        const parts: string[] = [];
        JSON.parse(cleaned.text, (key, part: unknown) => {
          parts.push(key, typeof part === "string" ? part : "");
          return part;
        });
        expect(parts.some(hasHidden)).toBe(false);
        expect(cleaned.text === json).toBe(cleaned.changed === 0);
        expect(cleaned.changed === 0 || mayHoldHidden(Buffer.from(json))).toBe(true);
      }),
    );
  });
});
