import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { codesOf, compileFiveLayers } from "./five-layers.ts";
import { callParts, compileBundle, layerOf, testEngine } from "./policies.ts";

let engine: PolicyEngine;

beforeAll(async () => {
  const bundles = await compileFiveLayers();
  engine = testEngine();
  const results = await engine.activate(bundles.map((bundle) => layerOf(bundle)));
  if (!results.every(({ ok }) => ok)) throw new Error(JSON.stringify(results));
});
afterAll(() => engine.close());

describe("strings", () => {
  const echo = `
allow contains {"code": "echo", "details": input.action.args.text}
`;
  it.each([
    ["astral characters", "𠀀 😀 \u{E0041} \u{10FFFF}"],
    ["control characters", "\u0000\u0001\u001f\u007f"],
    ["quotes and backslashes", '\\ud83d\\ude00 "\\u0041" \\\\'],
    ["bidi and byte order marks", "\u202e\ufeff\u2028"],
  ])("reach the policy unchanged: %s", async (_, text) => {
    const other = testEngine({ spare: false });
    const compiled = await compileBundle({ name: "echo", kind: "server", rego: echo });
    await other.activate([layerOf(compiled)]);
    for (const json of [JSON.stringify(text), escaped(text)]) {
      const parts = callParts("echo", `{"text":${json}}`);
      const { verdicts } = await other.decide({ server: "echo", parts, timeMs: 0 });
      expect(verdicts[0]).toMatchObject({ ok: true, output: { allow: [{ details: text }] } });
    }
    await other.close();
  });

  it.each([
    ["an escape", '{"text":"\\ud800"}'],
    ["two high halves", '{"text":"\\ud800\\ud800"}'],
    ["half a pair as an escape in capitals", '{"text":"\\uDFFF"}'],
    ["half a character", '{"text":"\ud800"}'],
  ])("that are no characters never reach a policy: %s", async (_, args) => {
    const decision = await engine.decide({
      server: "crm",
      parts: callParts("crm", args),
      timeMs: 0,
    });
    expect(codesOf(decision)).toEqual(Array(5).fill("policy_error"));
  });
});

/** JSON text of a string in which every UTF-16 unit is an escape. */
function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, place) => text.charCodeAt(place));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`;
}
