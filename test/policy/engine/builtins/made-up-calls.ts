/**
 * Calls of builtins that are made up, and their answers beside those of OPA's own evaluator.
 */
import * as fc from "fast-check";
import { askBoth } from "./ask-both.ts";

export const text = (value: unknown): string => JSON.stringify(value);
export const one = (...values: readonly string[]) => fc.constantFrom(...values);
export const join = (...parts: readonly fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((texts) => texts.join(""));
export const call = (name: string, ...operands: readonly fc.Arbitrary<string>[]) =>
  fc.tuple(...operands).map((texts) => `${name}(${texts.join(", ")})`);
/** A set, in order: `json.marshal` of WebAssembly leaves that open. */
export const sorted = (name: string, ...operands: readonly fc.Arbitrary<string>[]) =>
  call("sort", call(name, ...operands));
export const quoted = (arbitrary: fc.Arbitrary<string>) => arbitrary.map(text);

/** Values of all kinds. */
export const values = one(
  "1",
  "1.0",
  '"a"',
  "null",
  "true",
  "[]",
  "[1, 2, 3]",
  "[2, 3]",
  "[1, 1]",
  "[[1], 2]",
  "{}",
  '{"a": 1}',
  '{"a": {"b": [1, 2, 3]}, "c": {1, 2}}',
  '{"a": {"b": [2]}}',
  '{"c": {1}}',
  "{1, 2}",
  "{1}",
  "set()",
  '{"a", "b"}',
  '{{1}, {"x": 2}}',
);

/** Asks `count` calls: which answers are not OPA's, and whether enough of OPA's are defined. */
export async function compareWithOpa(calls: fc.Arbitrary<string>, count: number, defined: number) {
  const asked = [...new Set(fc.sample(calls, { numRuns: count, seed: 20_261_122 }))];
  const { ours, opas } = await askBoth(asked);
  const different = asked.flatMap((each, place) =>
    ours[place] === opas[place] ? [] : [`${each}: ${ours[place]} instead of ${opas[place]}`],
  );
  const found = opas.filter((answer) => answer !== undefined).length;
  return { different, isEnough: found > Math.min(defined, asked.length / 5) };
}
