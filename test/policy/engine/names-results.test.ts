import { expect, test } from "vitest";
import { namesResults } from "../../../src/policy/engine/names-results.ts";
import { bundleOf } from "./policies.ts";

const bundle = (rego: string, more: object = {}) =>
  bundleOf({
    name: "x",
    wasm: new Uint8Array(),
    sources: new Map([["policy.rego", rego]]),
    ...more,
  });

test.each([
  "deny contains 1 if input.result.is_error",
  'deny contains 1 if input["result"]',
  'deny contains 1 if input.phase == "result"',
  "deny contains 1 if input.phase == `result`",
  'deny contains 1 if input.phase != "call"',
  "deny contains 1 if input[_].is_error",
  "deny contains 1 if walk(input, [_, true])",
])("a bundle is asked about results that says %s", (rego) => {
  expect(namesResults(bundle(rego))).toBe(true);
});

test.each([
  'deny contains 1 if not input.phase == "result"',
  'deny contains 1 if input.phase != "result"',
])("a bundle is not asked about results that leaves them out: %s", (rego) => {
  expect(namesResults(bundle(rego))).toBe(false);
  expect(namesResults(bundle(`${rego}\ndeny contains 2 if input.result.error`))).toBe(true);
});

test("a bundle that says nothing of them is not, and one that nobody can read is", () => {
  const rego = 'deny contains 1 if input.phase == "call"';
  expect(namesResults(bundle(rego))).toBe(false);
  expect(namesResults(bundle(rego, { isOpaque: true }))).toBe(true);
});
