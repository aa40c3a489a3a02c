import { expect, it } from "vitest";
import { askBoth } from "../ask-both.ts";

const texts = [
  "a: 1\nb: [x, 2.50, ~, true, yes, 0x1F, 0777, 0o17, 0b11, 1_000, 1e3, .5, 2001-01-01, 1:30]",
  "",
  "# nothing",
  "--- a\n--- b",
  "--- a\n--- [",
  "a: 1\na: 2",
  "<<: {a: 1, b: 2}\nb: 3",
  "x: &x {a: 1}\ny: {<<: *x, c: 2}\nz: *x",
  "y: {<<: [{a: 1}, {a: 2, b: 3}]}",
  "1: a\n2.5: b\ntrue: c",
  "~: a",
  "[a]: b",
  "a: .inf",
  "18446744073709551615",
  "18446744073709551616",
  "-9223372036854775808",
  "9007199254740993",
  "'1'",
  '"a\\nb\\u00e9"',
  "|\n  two\n  lines\n",
  ">\n  folded\n  lines\n",
  "a: [",
  "a:\n\tb: 1",
  "{a: b, c}",
  "- a\n-\n  - b\n",
  "*missing",
  "nul: null\nNull: ~",
];
const values = [
  "null",
  "[]",
  "{}",
  "set()",
  '{"b": [1, 2, {"c": "d"}], "a": {3, 1, 2}}',
  '{"a10": 1, "a9": 2, "a": {}, "b": [], "A": 3, "_": 4, "1": 5, "é": 6, "a01": 7, "a1": 8}',
  "[1.5, 1e6, 100000.0, 0.0001, 1e-5, 1e21, -0.5, 18446744073709551615, 9223372036854775808, -1]",
  '["", " a", "a ", "a: b", "a #b", "#a", "- a", "1", "1.0", "true", "yes", "n", "~", "null", "<<", "2001-01-01", "1:30", "0x1", "é", "\\t", "a\\tb"]',
  '["two\\nlines", "three\\nlines\\n\\n"]',
  '["*a", "&a", "!a", "%a", "@a", "`a", "\'a\'", "\\"a\\"", "[a", "{a", "a,b", "a]", "|", ">", "?", "-", "? a", ":", "---"]',
  '{1: {2: 3}, [1]: "x"}',
  '[[1, [2]], [{"a": 1, "b": 2}]]',
];

it("reads yaml as opa does", async () => {
  const calls = texts.flatMap((text) => [
    `yaml.unmarshal(${JSON.stringify(text)})`,
    `yaml.is_valid(${JSON.stringify(text)})`,
  ]);
  const { ours, opas } = await askBoth(calls);
  const table = (answers: readonly (string | undefined)[]) =>
    calls.map((call, place) => [call, answers[place]]);
  expect(table(ours)).toEqual(table(opas));
  expect(ours.filter((answer) => answer === undefined).length).toBeGreaterThan(4);
}, 60_000);

it("writes yaml as opa does", async () => {
  const calls = values.map((value) => `yaml.marshal(${value})`);
  const { ours, opas } = await askBoth(calls);
  const table = (answers: readonly (string | undefined)[]) =>
    calls.map((call, place) => [call, answers[place]]);
  expect(table(ours)).toEqual(table(opas));
}, 60_000);

it("gives up where aliases multiply a text", async () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `a${level + 1}: &a${level + 1} [${Array<string>(10).fill(`*a${level}`).join()}]`,
  );
  const text = ["a0: &a0 x", ...levels].join("\n");
  const { ours } = await askBoth([`yaml.is_valid(${JSON.stringify(text)})`]);
  expect(ours).toEqual(["false"]);
}, 60_000);
