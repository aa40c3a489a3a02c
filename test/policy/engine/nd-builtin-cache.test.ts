/**
 * What builtins answer by chance: the same for a decision, recorded as OPA records it, and the same
 * again in a replay.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadBuiltins } from "../../../src/policy/engine/builtins/host-builtins.ts";
import { createNdBuiltinCache } from "../../../src/policy/engine/nd-builtin-cache.ts";
import { readOpaValue } from "../../../src/policy/engine/opa-value.ts";
import type { PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { callParts, compileBundle, layerOf, testEngine } from "./policies.ts";

const rego = `
warn contains {"code": "drawn", "details": {
  "die": rand.intn("die", 6),
  "again": rand.intn("die", -6),
  "other": rand.intn("coin", 1000000),
  "id": uuid.rfc4122("call"),
  "same": uuid.rfc4122("call"),
  "next": uuid.rfc4122("other"),
  "time": time.now_ns(),
}}
`;

let engine: PolicyEngine;
beforeAll(async () => {
  engine = testEngine();
  const server = await compileBundle({ name: "crm", kind: "server", rego });
  const workflow = await compileBundle({ name: "work", kind: "workflow", rego });
  await engine.activate([layerOf(server), layerOf(workflow)]);
}, 60_000);
afterAll(() => engine.close());

type Asked = Parameters<PolicyEngine["decide"]>[0];

async function decide(part: Partial<Asked> = {}) {
  const decided = await engine.decide({
    server: "crm",
    parts: callParts("crm"),
    timeMs: 1_764_000_000_123,
    ...part,
  });
  const details = decided.verdicts.map((verdict) => verdict.ok && verdict.output.warn[0]?.details);
  return { details, cache: decided.ndBuiltinCacheJson };
}

it("draws the same in all layers of a decision and records what was drawn once", async () => {
  const { details, cache } = await decide({ seed: "a" });
  expect(details).toHaveLength(2);
  expect(details[0]).toEqual(details[1]);
  expect(details[0]).toMatchObject({
    id: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
  });
  const { die, again, other, id, same, next } = Object(details[0]);
  expect([again, same]).toEqual([die, id]);
  expect(next).not.toBe(id);
  expect(cache).toContain('"time.now_ns":{"[]":1764000000123000000}');
  expect(JSON.parse(cache ?? "")).toMatchObject({
    "rand.intn": { '["die", 6]': die, '["die", -6]': die, '["coin", 1000000]': other },
    "uuid.rfc4122": { '["call"]': id, '["other"]': next },
  });
});

it("draws the same from the same seed, another from another, and another without one", async () => {
  const first = await decide({ seed: "a" });
  expect(await decide({ seed: "a" })).toEqual(first);
  const others = [await decide({ seed: "b" }), await decide(), await decide()];
  const drawn = [first, ...others].map(({ details }) => Object(details[0]).id);
  expect(new Set(drawn).size).toBe(4);
});

it("gives a replay what the record holds, but for the time, which is the decision's own", async () => {
  const recorded =
    '{"rand.intn": {"[\\"die\\", 6]": 42}, "uuid.rfc4122": {"[\\"call\\"]": "old"}, "time.now_ns": {"[]": 1}}';
  const { details } = await decide({ seed: "b", ndBuiltinCacheJson: recorded });
  expect(details[0]).toMatchObject({ die: 42, id: "old" });
  expect(Object(details[0]).time).toBeGreaterThan(1_000_000);
});

it("records nothing of a policy that draws nothing", () => {
  expect(createNdBuiltinCache().toJson()).toBeUndefined();
});

it("stays in its range, and reaches all of it", async () => {
  const builtin = (await loadBuiltins(["rand.intn"])).get("rand.intn");
  const drawn = Array.from({ length: 200 }, (_, place) =>
    builtin?.([readOpaValue(`"${place}"`), readOpaValue("3")], { timeMs: 0, seed: "s" }),
  );
  expect(new Set(drawn)).toEqual(new Set(["0", "1", "2"]));
  const zero = [readOpaValue('"x"'), readOpaValue("0")];
  expect(builtin?.(zero, { timeMs: 0, seed: "s" })).toBe("0");
});
