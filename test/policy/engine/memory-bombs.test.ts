/**
 * What eats memory outside of a policy's own ends in a failed verdict, and the gateway lives. The
 * builtins end by the size of their answer; the thread has a limit for what nobody thought of.
 */
import { afterEach, describe, expect, test } from "vitest";
import { PolicyWorker } from "../../../src/policy/engine/policy-worker.ts";
import { codesOf } from "./five-layers.ts";
import { callParts, compileBundle, layerOf, testEngine } from "./policies.ts";

const big = 'big := concat("", [input.action.args.text | some _ in numbers.range(1, 6)])';
const bombs: readonly (readonly [name: string, expression: string])[] = [
  ["sprintf", 'sprintf("%x%[1]x", [big])'],
  ["indexof_n", 'indexof_n(big, "x")'],
];

describe("a builtin whose answer would be many times its operand", () => {
  test.each(bombs)(
    "%s fails its layer, and the next decision is made",
    { timeout: 120_000 },
    async (_, expression) => {
      const rego = `${big}\n\ndeny contains "long" if {\n\tinput.action.args.text\n\tcount(${expression}) > 3\n}`;
      const bundle = await compileBundle({ name: "crm", kind: "server", rego });
      const engine = testEngine({ deadlineMs: 60_000, memoryMaxMb: 128 });
      try {
        await engine.activate([layerOf(bundle)]);
        const ask = async (args: object) =>
          await engine.decide({
            server: "crm",
            parts: callParts("crm", JSON.stringify(args)),
            timeMs: 0,
          });
        const bad = await ask({ text: "x".repeat(1_000_000) });
        expect(codesOf(bad)).toEqual(["policy_error"]);
        expect(bad.verdicts).toMatchObject([{ message: expect.stringMatching(/at most 8388608/) }]);
        expect(codesOf(await ask({}))).toEqual(["ok"]);
      } finally {
        await engine.close();
      }
    },
  );
});

describe("a thread", () => {
  const open: PolicyWorker[] = [];
  afterEach(async () => await Promise.all(open.splice(0).map((worker) => worker.close())));

  test("that fills its own memory ends alone", { timeout: 120_000 }, async () => {
    const eater = `
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", () => {
        const held = [];
        for (let count = 0; count < 12_000_000; count += 1) held.push({ count, more: [count] });
        parentPort.postMessage({ type: "loaded", held: held.length });
      });`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(eater)}`);
    const worker = new PolicyWorker({ url, inputMaxBytes: 1, latencyLimitMs: 1 });
    open.push(worker);
    await worker.open();
    const nothing = { unasked: [], inputs: [], parentInputs: [], timeMs: 0, seed: "" };
    const request = { type: "visibility", server: "crm", ...nothing } as const;
    expect(await worker.ask(request, 100_000)).toMatchObject({ type: "crashed" });
  });
});
