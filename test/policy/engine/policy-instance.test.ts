import { loadPolicy } from "@open-policy-agent/opa-wasm";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../../src/contract/bundle.ts";
import type { EvaluationContext } from "../../../src/policy/engine/builtin-calls.ts";
import { compilePolicy } from "../../../src/policy/engine/compiled-policy.ts";
import { openLayerPolicy } from "../../../src/policy/engine/layer-policy.ts";
import { createNdBuiltinCache } from "../../../src/policy/engine/nd-builtin-cache.ts";
import { openPolicyInstance } from "../../../src/policy/engine/policy-instance.ts";
import type { PolicyInstance } from "../../../src/policy/engine/policy-instance.ts";
import { compileBundle } from "./policies.ts";

const rego = `
warn contains {"code": "same", "details": input.action.args.value}

warn contains {"code": "count", "details": count(input.action.args.value)}

warn contains {"code": "keys", "details": [name | some name, _ in input.action.args.value]}

deny contains "large" if input.action.args.value > 1000

deny contains upper(word) if some word in input.action.args.value

deny contains "matches" if regex.match("^[a-z]+$", input.action.args.value)

deny contains "listed" if data.p.wide.list[_] == input.action.args.value

deny contains "no_input" if not input.action
`;

let bundle: Bundle;
let id: number;
beforeAll(async () => {
  const data = { list: ["a", "b", 7], text: "😀" };
  bundle = await compileBundle({ name: "wide", kind: "workflow", rego, data });
  id = (await open()).entrypoints.get(bundle.entrypoints.decision) ?? -1;
});

const compile = async () => await compilePolicy(bundle.wasm, 1024);

async function open(): Promise<PolicyInstance> {
  return await openPolicyInstance(await compile(), Buffer.from(bundle.dataJson));
}

/** Builtins see this. */
const at = (timeMs: number): EvaluationContext => ({
  timeMs,
  seed: "seed",
  ndBuiltinCache: createNdBuiltinCache(),
});

const inputOf = (value: unknown): string =>
  JSON.stringify({ action: { args: { value } }, environment: { region: "x".repeat(50) } });

describe("an instance of a compiled policy", () => {
  it("answers what the reference implementation answers, for anything", async () => {
    const reference = await loadPolicy(Buffer.from(bundle.wasm));
    reference.setData(JSON.parse(bundle.dataJson));
    const instance = await open();
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom("a", 7, 1001, ["word", "Wort"], "abc"),
      fc.string({ unit: "grapheme-ascii" }),
    );
    fc.assert(
      fc.property(values, (value) => {
        const input = inputOf(value);
        const ours: unknown = JSON.parse(instance.evaluate(id, Buffer.from(input), at(0)));
        expect(ours).toEqual(reference.evaluate(JSON.parse(input), id));
      }),
      { numRuns: 400 },
    );
  });

  it("never grows over a hundred thousand evaluations", async () => {
    const instance = await open();
    const input = Buffer.from(inputOf(["one", "two", { three: 3 }]));
    const first = instance.evaluate(id, input, at(0));
    const startBytes = instance.memoryBytes();
    for (let round = 0; round < 100_000; round += 1) instance.evaluate(id, input, at(round));
    expect(instance.memoryBytes()).toBe(startBytes);
    expect(instance.evaluate(id, input, at(0))).toBe(first);
  }, 60_000);

  it.each(["", " ", "{", "nul", '{"action":', "[1", "}", "\u0000", "a", '"a'])(
    "is never asked about text that is no json, as if there were no input: %j",
    async (text) => {
      const instance = await open();
      expect(() => instance.evaluate(id, Buffer.from(text), at(0))).toThrow(Error);
    },
  );

  it.each(["null", "false", "0", '""', "{}", "[]"])(
    "is asked about %s, which is an input",
    async (text) => {
      const instance = await open();
      expect(instance.evaluate(id, Buffer.from(text), at(0))).toContain("no_input");
    },
  );
});

describe("a layer's policy", () => {
  it("answers after a throw as if nothing had been, thousands of times", async () => {
    const { decision } = bundle.entrypoints;
    const policy = await openLayerPolicy(await compile(), Buffer.from(bundle.dataJson), [decision]);
    const good = Buffer.from(inputOf("a"));
    const before = policy.evaluate(decision, good, at(0));
    const aborts = Buffer.from(String.raw`{"action":"\ud800"}`);
    for (let round = 0; round < 3000; round += 1) {
      const evaluation = policy.evaluate(decision, aborts, at(0));
      expect(evaluation).toEqual({ ok: false, message: "illegal string escape character" });
    }
    expect(policy.evaluate(decision, good, at(0))).toEqual(before);
    expect(before).toMatchObject({ ok: true, text: expect.stringContaining("listed") });
  });

  it("answers the same whatever came in between: long inputs, failures, other values", async () => {
    const { decision } = bundle.entrypoints;
    const policy = await openLayerPolicy(await compile(), Buffer.from(bundle.dataJson), [decision]);
    const long = inputOf(Array.from({ length: 20_000 }, (_, place) => `entry ${place}`));
    const between = fc.array(
      fc.constantFrom(long, "{", String.raw`"\ud800"`, inputOf(7), inputOf({ a: ["b"] })),
      {
        maxLength: 4,
      },
    );
    const good = Buffer.from(inputOf(["word"]));
    const expected = policy.evaluate(decision, good, at(0));
    fc.assert(
      fc.property(between, (texts) => {
        for (const text of texts) policy.evaluate(decision, Buffer.from(text), at(0));
        expect(policy.evaluate(decision, good, at(0))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});
