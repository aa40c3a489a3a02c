import { expect, test } from "vitest";
import { rewriteJson } from "../../../src/decision/masking/rewrite-json.ts";
import type { Change, Visitor } from "../../../src/decision/masking/rewrite-json.ts";

/** Removes members called `gone…`, puts `"x"` where a member is called `put`, renames `old`. */
const visitor: Visitor<string> = {
  visit: (name): Change => {
    if (name.startsWith("gone")) return { kind: "remove" };
    return name === "put" ? { kind: "put", text: '"x"' } : { kind: "enter" };
  },
  member: (_, name) => ({ place: name, name: name === "old" ? "new" : name }),
  item: (_, index) => String(index),
};

test.each([
  ['{"a":1}', '{"a":1}'],
  ['{"gone":1}', "{}"],
  ['{ "gone1":1, "gone2":[{"a":"}"}] }', "{  }"],
  ['{"a":1,"gone":"\\"}"}', '{"a":1}'],
  ['{"gone":{"put":1},"a":1}', '{"a":1}'],
  ['{"gone1":1,"gone2":2,"a":1,"gone3":3,"b":2,"gone4":4,"gone5":5}', '{"a":1,"b":2}'],
  ['[{"gone":1},{"a":{"put":[1,2],"gone":0}}]', '[{},{"a":{"put":"x"}}]'],
  ['{"old":{"old":-1.50e+2},"b":"\\\\"}', '{"new":{"new":-1.50e+2},"b":"\\\\"}'],
  [' { "a" : [ ] , "put" : null } ', ' { "a" : [ ] , "put" : "x" } '],
])("%s becomes %s", (text, expected) => {
  expect(rewriteJson(text, "root", visitor)).toBe(expected);
});

test.each(['{"a":1', '{"a" 1}', "[1 2]", '"open', "{} {}", "", '{"a":tru}', "{a:1}"])(
  "%s is refused",
  (text) => {
    expect(() => rewriteJson(text, "root", visitor)).toThrow(SyntaxError);
  },
);

test("names with escapes are the names that they mean", () => {
  expect(rewriteJson('{"\\u0070ut":1,"o\\u006cd":2}', "root", visitor)).toBe(
    '{"\\u0070ut":"x","new":2}',
  );
});
