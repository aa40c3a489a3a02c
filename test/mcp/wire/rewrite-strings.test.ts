import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonPath } from "../../../src/mcp/wire/rewrite-strings.ts";
import { rewriteStrings } from "../../../src/mcp/wire/rewrite-strings.ts";

const rewrite = (json: string, replace: Parameters<typeof rewriteStrings>[1]) =>
  rewriteStrings(Buffer.from(json), replace)?.toString();
const at =
  (path: JsonPath, text: string) =>
  (found: JsonPath): string | undefined =>
    JSON.stringify(found) === JSON.stringify(path) ? text : undefined;

describe("replacing strings in JSON bytes", () => {
  test("changes the string at its path and no other byte", () => {
    const json =
      ' { "n" : 1.50e+3 , "big":12345678901234567890,"u\\u0072i" :\t"a\\/b" , "x":["\\u00e9",{"uri":"old"}]}\n';
    expect(rewrite(json, at(["x", 1, "uri"], 'n"e\\w é'))).toBe(
      json.replace('"old"', '"n\\"e\\\\w é"'),
    );
  });

  test("finds a key by what it says, however it is escaped", () => {
    expect(rewrite('{"u\\u0072i":"a"}', at(["uri"], "b"))).toBe('{"u\\u0072i":"b"}');
  });

  test("replaces every one of duplicate members", () => {
    expect(rewrite('{"a":"1","a":"2"}', at(["a"], "x"))).toBe('{"a":"x","a":"x"}');
  });

  test("returns the same buffer where nothing changes", () => {
    const bytes = Buffer.from('{"a":"x","b":[]}');
    expect(rewriteStrings(bytes, () => undefined)).toBe(bytes);
    expect(rewriteStrings(bytes, (_, text) => text())).toBe(bytes);
  });

  test("leaves keys alone", () => {
    const seen: string[] = [];
    rewrite('{"key":"value","empty":{},"list":[]}', (_, text) => {
      seen.push(text());
      return undefined;
    });
    expect(seen).toEqual(["value"]);
  });

  test.each([
    "",
    "{",
    '{"a"',
    '{"a":',
    '{"a":1',
    '["x"',
    '"x',
    '"x\\"',
    "[1 2]",
    "[1 23]",
    "[1,]",
    "{1:2}",
    '{"a" 1}',
    "[}",
    "1 2",
    '["\\x"]',
  ])("refuses %j, which is no JSON", (json) =>
    expect(rewrite(json, (_, text) => `${text()}!`)).toBeUndefined(),
  );

  test("refuses what nests deeper than 64 levels, and passes 64", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}"x"${"]".repeat(depth)}`;
    expect(rewrite(nested(64), () => "y")).toBe(nested(64).replace("x", "y"));
    expect(rewrite(nested(65), () => "y")).toBeUndefined();
    expect(rewrite("[".repeat(1_000_000), () => "y")).toBeUndefined();
  });

  test("reads a string only where it is asked for", () => {
    // A lone surrogate, raw: reading it is what would fail or change it.
    const bytes = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff]),
      Buffer.from('","b":"x"}'),
    ]);
    const changed = rewriteStrings(bytes, at(["b"], "y"));
    expect(changed?.subarray(6, 7)).toEqual(Buffer.from([0xff]));
  });
});

/** JSON text of a value with spacing and escapes that `JSON.stringify` would not choose. */
function oddText(value: unknown, random: () => boolean): string {
  const space = () => (random() ? " \n" : "");
  if (typeof value === "string") return oddString(value, random);
  if (Array.isArray(value))
    return `[${value.map((part) => `${space()}${oddText(part, random)}${space()}`).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, part]) => `${space()}${oddString(key, random)}${space()}:${oddText(part, random)}`,
  );
  return `{${members.join(",")}}`;
}

function oddString(text: string, random: () => boolean): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const units = text
    .split("")
    .map((unit) => (random() ? escape(unit) : JSON.stringify(unit).slice(1, -1)));
  return `"${units.join("")}"`;
}

function mapStrings(
  value: unknown,
  change: (path: JsonPath, text: string) => string,
  path: JsonPath = [],
): unknown {
  if (typeof value === "string") return change(path, value);
  if (Array.isArray(value))
    return value.map((part, index) => mapStrings(part, change, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, mapStrings(part, change, [...path, key])]),
  );
}

describe("replacing strings, for any JSON", () => {
  const unit = fc.oneof(
    fc.constantFrom('"', "\\", "/", "{", "]", ",", ":", "\n", "u", "\u{1f600}"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  );
  const texts = fc
    .tuple(fc.json({ stringUnit: unit, maxDepth: 6 }), fc.infiniteStream(fc.boolean()))
    .map(([json, coins]) => {
      const value: unknown = JSON.parse(json);
      return { value, text: oddText(value, () => coins.next().value === true) };
    });
  const picks = (path: JsonPath, text: string) => (path.length + text.length) % 2 === 0;

  test("means what parsing, replacing and comparing means", () => {
    fc.assert(
      fc.property(texts, ({ value, text }) => {
        const change = (path: JsonPath, old: string) =>
          picks(path, old) ? `<${path.join("/")}>${old}` : old;
        const changed = rewrite(text, (path, old) => change(path, old()));
        expect(JSON.parse(changed ?? "")).toEqual(mapStrings(value, change));
      }),
      { numRuns: 500 },
    );
  });

  test("keeps every byte outside of the replaced strings", () => {
    fc.assert(
      fc.property(texts, ({ text }) => {
        const mark = "\u0001replaced\u0001";
        const raw = JSON.stringify(mark);
        const old: string[] = [];
        const changed = rewrite(text, (path, read) => {
          if (!picks(path, read())) return undefined;
          old.push(read());
          return mark;
        });
        const parts = (changed ?? "").split(raw);
        expect(parts).toHaveLength(old.length + 1);
        let from = 0;
        for (const [index, part] of parts.entries()) {
          expect(text.startsWith(part, from)).toBe(true);
          from += part.length;
          if (index === old.length) break;
          const end = endOfRawString(text, from);
          expect(JSON.parse(text.slice(from, end))).toBe(old[index]);
          from = end;
        }
        expect(from).toBe(text.length);
      }),
      { numRuns: 500 },
    );
  });

  test("never throws or hangs on bytes that are no JSON, and refuses none that are", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ",",
      ":",
      "1",
      "true",
      " ",
      "a",
      "\\u12",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const json = parts.join("");
        const changed = rewrite(json, (_, text) => `${text()}!`);
        expect(changed !== undefined || !isJson(json)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

function endOfRawString(text: string, start: number): number {
  const found = /"(?:[^"\\]|\\.)*"/suy;
  found.lastIndex = start;
  return start + (found.exec(text)?.[0].length ?? 0);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
