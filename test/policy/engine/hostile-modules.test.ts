import { afterEach, describe, expect, it, vi } from "vitest";
import { refusedBuiltins } from "../../../src/contract/host-builtins.ts";
import type {
  PolicyEngine,
  PolicyEngineOptions,
} from "../../../src/policy/engine/policy-engine.ts";
import { assembleModule, call, constant, op, textAddress } from "./hostile-module.ts";
import type { HostileModule } from "./hostile-module.ts";
import { bundleOf, callParts, layerOf, testEngine } from "./policies.ts";

const forged = '{"jsonrpc":"2.0","id":1,"result":{"forged":true}}';
const engines: PolicyEngine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

function open(options: Partial<PolicyEngineOptions> = {}): PolicyEngine {
  const engine = testEngine({ spare: false, ...options });
  engines.push(engine);
  return engine;
}

const hostileLayer = (hostile: HostileModule) =>
  layerOf(bundleOf({ name: "bad", wasm: assembleModule("bad", hostile) }));
const goodLayer = layerOf(bundleOf({ name: "good", wasm: assembleModule("good") }));

async function activate(hostile: HostileModule, engine = open()) {
  const results = await engine.activate([hostileLayer(hostile), goodLayer]);
  return { engine, error: results[0]?.ok === false ? results[0].error : undefined };
}

/** A grant whose details are as many arrays, one in the other. */
function nested(depth: number): string {
  const details = "[".repeat(depth) + "]".repeat(depth);
  return `[{"result":{"allow":[{"code":"x","details":${details}}]}}]`;
}

async function decide(engine: PolicyEngine, server: string) {
  const { verdicts } = await engine.decide({ server, parts: callParts(server), timeMs: 0 });
  return verdicts[0];
}

describe("a hostile module at activation", () => {
  it.each<[string, HostileModule, string, number?]>([
    ["that speaks another major version", { abi: [2, 0] }, "policy_abi_unsupported"],
    ["that speaks a version before 1.2", { abi: [1, 1] }, "policy_abi_unsupported"],
    ["that imports more than the abi", { imports: ["env.fetch"] }, "policy_module_invalid"],
    ["that imports from elsewhere", { imports: ["wasi.opa_abort"] }, "policy_module_invalid"],
    ["that lacks a function of the abi", { without: ["opa_malloc"] }, "policy_module_invalid"],
    ["that needs a builtin nobody has", { builtins: '{"http.send":0}' }, "policy_builtin_unknown"],
    ["whose start function traps", { start: [op.unreachable] }, "policy_activation_failed"],
    [
      "that never answers a plain call",
      { evaluate: [...op.forever, ...constant(0)] },
      "policy_activation_timeout",
      1000,
    ],
    ["whose start function loops", { start: op.forever }, "policy_activation_timeout", 1000],
    ["that wants more data than memory", { dataOffset: 1 << 28 }, "policy_memory_exceeded"],
  ])("%s is refused, and the others are not", async (_, hostile, code, deadlineMs = 20_000) => {
    const { engine, error } = await activate(hostile, open({ activationDeadlineMs: deadlineMs }));
    expect(error?.code).toBe(code);
    expect(error?.message).toContain('layer "bad"');
    expect(await decide(engine, "bad")).toMatchObject({ ok: false, code: "policy_error" });
    expect(await decide(engine, "good")).toMatchObject({ ok: true });
  });

  it("names the builtins that nobody has", async () => {
    const { error } = await activate({ builtins: '{"http.send":0,"sprintf":1,"no.such":2}' });
    expect(error?.message).toContain("found http.send, no.such; http.send: it asks the network");
    expect(error?.message).not.toContain("sprintf");
  });

  it.each(["http.send", "net.lookup_ip_addr", "opa.runtime"])(
    "is refused for %s by name",
    async (name) => {
      const { error } = await activate({ builtins: JSON.stringify({ [name]: 0 }) });
      expect(error).toMatchObject({ code: "policy_builtin_unknown" });
      expect(error?.message).toContain(`${name}: ${refusedBuiltins[name]}`);
    },
  );

  it.each([
    ["no module at all", Buffer.from("policy")],
    ["a module that was cut off", assembleModule("bad").slice(0, 200)],
  ])("is refused when it is %s", async (_, wasm) => {
    const engine = open();
    const [result] = await engine.activate([layerOf(bundleOf({ name: "bad", wasm }))]);
    expect(result).toMatchObject({ ok: false, error: { code: "policy_module_invalid" } });
  });

  it("says in its own words why its start function gave up", async () => {
    const start = [...constant(textAddress), ...call.abort];
    const { error } = await activate({ start, text: "größer als erlaubt" });
    expect(error).toMatchObject({ code: "policy_activation_failed" });
    expect(error?.message).toContain("größer als erlaubt");
  });
});

describe("a hostile module in a decision", () => {
  it.each<[string, HostileModule]>([
    ["traps", { evaluate: [op.unreachable] }],
    ["aborts", { evaluate: [...constant(textAddress), ...call.abort, ...constant(0)], text: "no" }],
    ["says that it failed", { evaluate: constant(1) }],
    ["eats memory", { evaluate: [...op.eatMemory, ...constant(0)] }],
    ["points to nothing", { resultAddress: 0 }],
    ["points outside of memory", { resultAddress: -16 }],
    ["points behind the last text", { resultAddress: 65_535 }],
    ["answers no json", { result: "allow" }],
    ["answers deeper than a thread can hand on", { result: nested(8_000) }],
    ["answers two results", { result: '[{"result":{}},{"result":{}}]' }],
  ])("that %s is a failed layer, and the next decision is not", async (_, hostile) => {
    const { engine, error } = await activate(hostile);
    expect(error).toBeUndefined();
    for (const attempt of [1, 2]) {
      expect({ attempt, verdict: await decide(engine, "bad") }).toMatchObject({
        verdict: { ok: false, code: "policy_error" },
      });
    }
    expect(await decide(engine, "good")).toMatchObject({ ok: true });
  });

  it("that classifies in an unknown shape is a failed layer", async () => {
    const entrypoint = "p/bad/decision";
    const wasm = assembleModule("bad", { result: '[{"result":{"labels":"all"}}]' });
    const entrypoints = { decision: entrypoint, classify: entrypoint, visibility: undefined };
    const engine = open();
    await engine.activate([layerOf(bundleOf({ name: "bad", wasm, entrypoints }))]);
    expect(await decide(engine, "bad")).toMatchObject({
      code: "policy_error",
      message: "classifying: labels: expected a set or an array, found a value of type string",
    });
  });

  it("writes nothing to the process's output, at its start or later", async () => {
    const writes = vi.spyOn(process.stdout, "write");
    const print = [...constant(textAddress), ...call.println];
    const evaluate = [...print, ...constant(0)];
    const { engine } = await activate({ start: print, evaluate, text: forged });
    expect(await decide(engine, "bad")).toMatchObject({ ok: true });
    const written = writes.mock.calls.map(([chunk]) => String(chunk)).join("");
    writes.mockRestore();
    expect(written).not.toContain("forged");
  });

  it("that loops is ended at the deadline, and the others are answered", async () => {
    const { engine } = await activate(
      { evaluate: [...op.foreverLater, ...constant(0)] },
      open({ deadlineMs: 2000 }),
    );
    const startedMs = performance.now();
    const [bad, ...good] = await Promise.all([
      decide(engine, "bad"),
      decide(engine, "good"),
      decide(engine, "good"),
    ]);
    expect(bad).toMatchObject({ ok: false, code: "policy_timeout" });
    expect(performance.now() - startedMs).toBeGreaterThan(1999);
    expect(good).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await decide(engine, "good")).toMatchObject({ ok: true });
  });
});
