import { expect, it } from "vitest";
import { hostBuiltins, refusedBuiltins } from "../../../../src/contract/host-builtins.ts";
import { anyPrefixMatch } from "../../../../src/policy/engine/builtins/any-affix-match.ts";
import { loadBuiltins } from "../../../../src/policy/engine/builtins/host-builtins.ts";
import { sprintf } from "../../../../src/policy/engine/builtins/sprintf.ts";
import { nowNs, parseRfc3339Ns } from "../../../../src/policy/engine/builtins/time.ts";
import { readOpaValue } from "../../../../src/policy/engine/opa-value.ts";

const context = { timeMs: 1_764_000_000_123, seed: "seed" };
const read = (...texts: readonly string[]) => texts.map(readOpaValue);

it("has an implementation for each builtin of the list", async () => {
  const loaded = await loadBuiltins(hostBuiltins);
  expect([...loaded.keys()].toSorted()).toEqual([...hostBuiltins].toSorted());
});

it("has none for a builtin that is refused, or that nobody knows", async () => {
  expect(await loadBuiltins([...Object.keys(refusedBuiltins), "no.such", "toString"])).toEqual(
    new Map(),
  );
});

it("answers nothing, which makes a rule undefined, where an operand has another type", () => {
  expect(sprintf(read("1", "[]"), context)).toBeUndefined();
  expect(sprintf(read('"%d"', "{1}"), context)).toBeUndefined();
  expect(parseRfc3339Ns(read("1"), context)).toBeUndefined();
  expect(anyPrefixMatch(read('["a", 1]', '"a"'), context)).toBeUndefined();
  expect(anyPrefixMatch(read('"a"', "null"), context)).toBeUndefined();
});

it("tells the decision's time in whole nanoseconds", () => {
  expect(nowNs([], context)).toBe("1764000000123000000");
});
