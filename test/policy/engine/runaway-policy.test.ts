import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { busyArgs, codesOf, compileFiveLayers, deciderOf, verdictOf } from "./five-layers.ts";
import type { Decide } from "./five-layers.ts";
import { callParts, layerOf, testEngine } from "./policies.ts";

const deadlineMs = 2000;
let engine: PolicyEngine;
let decide: Decide;

beforeAll(async () => {
  const bundles = await compileFiveLayers();
  engine = testEngine({ deadlineMs });
  const results = await engine.activate(bundles.map((bundle) => layerOf(bundle)));
  if (!results.every(({ ok }) => ok)) throw new Error(JSON.stringify(results));
  decide = deciderOf(engine);
});
afterAll(() => engine.close());

describe("a layer that goes wrong", () => {
  it("by throwing is a failed layer, and the next decision is not", async () => {
    const { verdicts } = await decide({ twice: true });
    expect(verdictOf(verdicts, "crm")).toMatchObject({ ok: false, code: "policy_error" });
    expect(verdictOf(verdicts, "workflow")).toMatchObject({ ok: true });
    expect(verdictOf((await decide()).verdicts, "crm")).toMatchObject({ ok: true });
  });

  it("by running on is ended at the deadline, and only its own call is lost", async () => {
    const startedMs = performance.now();
    const [slow, ...others] = await Promise.all([
      decide(busyArgs(20_000)),
      decide(),
      decide(),
      decide(),
    ]);
    const tookMs = performance.now() - startedMs;
    expect(codesOf(slow)).toEqual(Array(5).fill("policy_timeout"));
    expect(verdictOf(slow.verdicts, "crm")).toMatchObject({
      message: `all layers together had ${deadlineMs} ms; layer "crm" was running`,
    });
    expect(slow.dataClasses).toEqual([]);
    for (const { verdicts } of others) expect(verdictOf(verdicts, "crm").ok).toBe(true);
    expect(tookMs).toBeGreaterThan(deadlineMs - 1);
    expect(tookMs).toBeLessThan(deadlineMs * 10);
  });

  it("again and again costs each time only the call that did it", async () => {
    for (let round = 0; round < 3; round += 1) {
      const [slow, quick] = await Promise.all([decide(busyArgs(20_000)), decide()]);
      expect(verdictOf(slow.verdicts, "crm")).toMatchObject({ code: "policy_timeout" });
      expect(verdictOf(quick.verdicts, "crm")).toMatchObject({ ok: true });
    }
  });

  it("by input over the cap is denied unasked, and the next decision is not", async () => {
    const long = await decide({ long: "x".repeat(1024 * 1024) });
    expect(codesOf(long)).toEqual(Array(5).fill("policy_error"));
    expect(verdictOf(long.verdicts, "crm")).toMatchObject({
      message: expect.stringMatching(/at most 1048576 bytes, found 1048\d{3}/u),
    });
    expect(codesOf(await decide())).toEqual(Array(5).fill("ok"));
  });

  it("by input deeper than its stack is denied, and the next decision is not", async () => {
    const parts = callParts("crm", `{"deep":${nest(400_000)}}`);
    const deep = await engine.decide({ server: "crm", parts, timeMs: 0 });
    expect(codesOf(deep)).toEqual(Array(5).fill("policy_error"));
    expect(codesOf(await decide())).toEqual(Array(5).fill("ok"));
  });
});

function nest(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}
