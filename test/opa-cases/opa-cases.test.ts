import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseDocument } from "yaml";
import * as z from "zod";
import { areSameBindings } from "../../scripts/opa-cases/compare-values.js";
import { printReport } from "../../scripts/opa-cases/print-report.js";
import { renameUnused } from "../../scripts/opa-cases/rename-unused.js";
import { jsonTextOf } from "../../scripts/opa-cases/yaml-json.js";

const found = (row: string, sets = "[]"): string => `[{"row": ${row}, "sets": ${sets}}]`;

it("compares numbers by their value and by all their digits", () => {
  expect(areSameBindings('[{"x": 1}]', found('{"x": 1.0}'), false)).toBe(true);
  expect(areSameBindings('[{"x": 1500}]', found('{"x": 1.5e3}'), false)).toBe(true);
  expect(
    areSameBindings('[{"x": 9007199254740993}]', found('{"x": 9007199254740992}'), false),
  ).toBe(false);
  expect(areSameBindings('[{"x": 1}]', found('{"x": "1"}'), false)).toBe(false);
  expect(areSameBindings('[{"x": -1}]', found('{"x": 1}'), false)).toBe(false);
});

it("compares lists in their order, and sets and bindings in any", () => {
  expect(areSameBindings('[{"x": [1, 2]}]', found('{"x": [2, 1]}'), false)).toBe(false);
  expect(areSameBindings('[{"x": [1, 2]}]', found('{"x": [2, 1]}', '[["x"]]'), false)).toBe(true);
  expect(areSameBindings('[{"x": [1, 2]}]', found('{"x": [2, 1]}'), true)).toBe(true);
  expect(areSameBindings('[{"x": [[1, 2]]}]', found('{"x": [[2, 1]]}', '[["x", 0]]'), false)).toBe(
    true,
  );
  expect(areSameBindings('[{"x": [[1, 2]]}]', found('{"x": [[2, 1]]}', '[["x", 1]]'), false)).toBe(
    false,
  );
  const rows = '[{"row": {"x": 2}, "sets": []}, {"row": {"x": 1}, "sets": []}]';
  expect(areSameBindings('[{"x": 1}, {"x": 2}]', rows, false)).toBe(true);
  expect(areSameBindings('[{"x": 1}]', rows, false)).toBe(false);
  expect(areSameBindings("[]", "[]", false)).toBe(true);
  expect(areSameBindings("[]", rows, false)).toBe(false);
});

it("keeps the digits of numbers in cases", () => {
  const document = parseDocument('a: &a [9007199254740993, 1.50, "1", ~, true]\nb: *a');
  expect(jsonTextOf(document.contents, document)).toBe(
    '{"a":[9007199254740993,1.50,"1",null,true],"b":[9007199254740993,1.50,"1",null,true]}',
  );
});

it("renames what is unused, at its place, and nothing where the problem is another", () => {
  const modules = { "a.rego": "package a\nf(x, xy) := xy\n" };
  const unused = { message: "unused argument x. (hint)", file: "a.rego", row: 2, col: 1 };
  expect(renameUnused(modules, [unused])).toEqual({ "a.rego": "package a\nf(_, xy) := xy\n" });
  expect(renameUnused(modules, [{ ...unused, message: "var y is unsafe" }])).toBeUndefined();
  expect(renameUnused(modules, [{ ...unused, row: 9 }])).toBeUndefined();
});

const row = { note: "a", group: "g", reason: "" };
const some = <Outcome extends string>(length: number, outcome: Outcome) =>
  Array.from({ length }, () => ({ ...row, outcome }));
const passing = some(98, "pass");
const run = { unknown: [], differences: new Map(), isWhole: true, seconds: 0, asJson: true };

it.each([
  [0, "all pass", passing, {}],
  [0, "a listed one differs", [...passing, { ...row, outcome: "differs" }], {}],
  [1, "one fails", [...passing, { ...row, outcome: "fail" }], {}],
  [1, "a listed one is of no case", passing, { unknown: ["gone"] }],
  [1, "too many differ", [...passing, ...some(3, "differs")], {}],
  [0, "too many of a few differ", [{ ...row, outcome: "differs" }], { isWhole: false }],
  [0, "those that are left out count for nothing", [...passing, ...some(9, "skip")], {}],
] as const)("ends with %d where %s", (code, _, rows, more) => {
  expect(printReport({ ...run, rows: [...rows], ...more })).toBe(code);
});

it("gives a reason for every difference, and each once", () => {
  const text = readFileSync("scripts/opa-cases/differences.json", "utf8");
  const groups = z
    .array(z.strictObject({ reason: z.string().min(20), cases: z.array(z.string()).min(1) }))
    .parse(JSON.parse(text));
  const notes = groups.flatMap(({ cases }) => cases);
  expect(new Set(notes).size).toBe(notes.length);
  expect(notes.length).toBeLessThan(48);
});
