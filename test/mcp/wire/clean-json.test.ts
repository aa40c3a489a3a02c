import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasHidden, showHidden } from "../../../src/contract/hidden-characters.ts";
import { cleanJson, mayHoldHidden, newEffort } from "../../../src/mcp/wire/clean-json.ts";

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
  "\u200b\u200b\u200b\u001b\u200b",
  "\ufeff\u00ad\u034f\u061c",
  "\u180b\u115f\u17b4\u3164",
  "\uffa0\ufff0\ufe0f\u2064",
  "\u{1bca0}\u{1d173}\u{1d17a}\u{e0100}",
];

/** All of the first plane that stands raw in JSON, and where others hold such characters. */
function codePoints(): readonly number[] {
  const ranges = [
    [0x20, 0xd7ff],
    [0xe000, 0xffff],
    [0x1bc90, 0x1bcb0],
    [0x1d160, 0x1d190],
    [0x1f3f0, 0x1f400],
    [0xdff80, 0xe1080],
    [0xf0000, 0xf0100],
  ] as const;
  return ranges
    .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at))
    .filter((point) => point !== 0x22 && point !== 0x5c);
}

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
    const acting = Array.from(
      "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufff9\ufffa",
    ).concat(Array.from({ length: 33 }, (_, at) => String.fromCharCode(0x7f + at)));
    const words = acting.flatMap((a) => acting.flatMap((b) => acting.map((c) => a + b + c)));
    const different = (count: number) => JSON.stringify(words.slice(0, count));

    expect(cleanJson(many(262_144), "remove")).toMatchObject({ changed: 262_144, isWhole: true });
    expect(cleanJson(many(262_145), "remove").isWhole).toBe(false);
    expect(cleanJson(different(65_536), "remove").isWhole).toBe(true);
    expect(cleanJson(different(65_537), "remove").isWhole).toBe(false);
  });

  test.each(["\u200b", "\\u200b", "\\u202e", tag, "\\udb40\\udc41"])(
    "are not looked at without end in stretches too long to remember: %j",
    (one) => {
      for (const length of [72, 4_992, 262_144]) {
        const stretch = one.repeat(Math.floor(length / one.length));
        const json = (count: number) => `[${Array<string>(count).fill(`"${stretch}"`).join()}]`;
        const most = Math.floor(262_144 / stretch.length);
        expect(cleanJson(json(most), "escape")).toMatchObject({ changed: most, isWhole: true });
        expect(cleanJson(json(most + 1), "escape").isWhole).toBe(false);
      }
    },
  );

  test("are not looked for again and again in the parts of one message", () => {
    const part = JSON.stringify("\u200b".repeat(200_000));
    const effort = newEffort();

    expect(cleanJson(part, "remove", effort)).toMatchObject({ changed: 1, isWhole: true });
    expect(cleanJson(part, "remove", effort)).toMatchObject({ changed: 0, isWhole: false });
  });

  test("do not stay where one look ends and the next begins", () => {
    for (let length = 1_010; length < 1_030; length += 1) {
      const text = `${"\u009b".repeat(length)}${"\u200b".repeat(6)}`;
      for (const json of [JSON.stringify(text), escaped(JSON.stringify(text))]) {
        expect(JSON.parse(cleanJson(json, "remove").text)).toBe("");
      }
    }
  });

  test("do not come about where what stands between the halves of one is taken away", () => {
    for (const text of ["\udb40\u001b\udc41", "\ud834\u001b\udd73".repeat(4)]) {
      const cleaned: unknown = JSON.parse(cleanJson(JSON.stringify(text), "remove").text);
      expect(hasHidden(String(cleaned))).toBe(false);
    }
  });

  test("are found in bytes as in text, whatever the character", () => {
    const wrong = codePoints().filter((point) => {
      const character = String.fromCodePoint(point);
      return [character, character.repeat(4)].some((text) => {
        const isHidden = hasHidden(text);
        return [text, escaped(text)].some((written) => {
          const json = `"${written}"`;
          const isChanged = cleanJson(json, "escape").changed > 0;
          return mayHoldHidden(Buffer.from(json)) !== isHidden || isChanged !== isHidden;
        });
      });
    });
    expect(wrong).toEqual([]);
  });

  test("are never missed by the quick look, and never left over, in any JSON however it is written", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...hidden,
        scotland,
        "\\",
        '"',
        "\u200d",
        "\\u001b",
        "b",
        "\udb40",
        "\udc41",
        "\u001b",
        "\u202e",
      ),
      fc.string({ unit: "grapheme" }),
    );
    const text = fc.array(piece).map((parts) => parts.join(""));
    const value = fc.dictionary(text, fc.oneof(text, fc.array(text), fc.double()));
    fc.assert(
      fc.property(
        value,
        fc.boolean(),
        fc.constantFrom("escape", "remove"),
        (one, isEscaped, rule) => {
          const written = JSON.stringify(one);
          const json = isEscaped ? escaped(written) : written;
          const cleaned = cleanJson(json, rule);
          const parts: string[] = [];
          JSON.parse(cleaned.text, (key, part: unknown) => {
            parts.push(key, typeof part === "string" ? part : "");
            return part;
          });
          expect(parts.some(hasHidden)).toBe(false);
          expect(cleaned.text === json).toBe(cleaned.changed === 0);
          expect(cleaned.changed === 0 || mayHoldHidden(Buffer.from(json))).toBe(true);
        },
      ),
    );
  });
});
