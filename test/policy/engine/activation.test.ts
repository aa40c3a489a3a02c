import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../../src/contract/bundle.ts";
import type {
  Decision,
  PolicyEngine,
  PolicyEngineOptions,
} from "../../../src/policy/engine/policy-engine.ts";
import { busyArgs, compileFiveLayers } from "./five-layers.ts";
import { bundleOf, callParts, layerOf, testEngine } from "./policies.ts";

let bundles: readonly Bundle[];
beforeAll(async () => {
  bundles = await compileFiveLayers();
});

function bundle(name: string): Bundle {
  const found = bundles.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no bundle ${name}`);
  return found;
}

function digestsOf({ verdicts }: Decision): readonly string[] {
  return verdicts.map(({ layer }) => layer.digest);
}

describe("activation", () => {
  const engines: PolicyEngine[] = [];
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((each) => each.close()));
  });
  function open(options: Partial<PolicyEngineOptions> = {}): PolicyEngine {
    const made = testEngine({ spare: false, ...options });
    engines.push(made);
    return made;
  }
  const broken = bundleOf({ name: "crm", wasm: Buffer.from("no module") });

  it("keeps the fallback where the new bundle fails, and says so", async () => {
    const own = open();
    const [result] = await own.activate([layerOf(broken, bundle("crm"))]);
    expect(result).toMatchObject({ layer: "crm", ok: false, fallback: true });
    const { verdicts } = await own.decide({ server: "crm", parts: callParts("crm"), timeMs: 0 });
    expect(verdicts[0]).toMatchObject({ ok: true, layer: { digest: "sha256:crm" } });
  });

  it("fails every decision of a layer that has no fallback", async () => {
    const own = open();
    const [result] = await own.activate([layerOf(broken)]);
    expect(result).toMatchObject({ layer: "crm", ok: false, fallback: false });
    const { verdicts } = await own.decide({ server: "crm", parts: callParts("crm"), timeMs: 0 });
    expect(verdicts[0]).toMatchObject({ ok: false, code: "policy_error" });
  });

  it("refuses a bundle of another kind, one without its entrypoint, and data that is no json", async () => {
    const own = open();
    const [kind, entrypoint, data] = await own.activate([
      { ...layerOf(bundle("crm")), kind: "compliance" },
      layerOf({ ...bundle("crm"), entrypoints: { ...bundle("crm").entrypoints, decision: "a/b" } }),
      layerOf({ ...bundle("crm"), dataJson: "{" }),
    ]);
    expect(kind).toMatchObject({ error: { code: "policy_kind_mismatch" } });
    expect(entrypoint).toMatchObject({ error: { code: "policy_entrypoint_missing" } });
    expect(data).toMatchObject({ error: { code: "policy_data_invalid" } });
  });

  it("answers no_policy where a layer is configured and has no bundle", async () => {
    const own = open();
    const missing = { name: "files", kind: "server", bundle: undefined } as const;
    expect(await own.activate([missing])).toMatchObject([{ ok: true }]);
    const { verdicts } = await own.decide({
      server: "files",
      parts: callParts("files"),
      timeMs: 0,
    });
    expect(verdicts).toMatchObject([{ ok: false, code: "no_policy", layer: { name: "files" } }]);
  });

  it("replaces the set as a whole and drops no decision", async () => {
    const own = open({ deadlineMs: 20_000 });
    await own.activate([layerOf(bundle("crm"))]);
    const second = { ...bundle("crm"), digest: "sha256:second" as const };
    const decide = (args?: string) =>
      own.decide({ server: "crm", parts: callParts("crm", args), timeMs: 0 });
    const slow = decide(JSON.stringify(busyArgs(10_000)));
    const before = Array.from({ length: 20 }, () => decide());
    const activated = own.activate([layerOf(second), layerOf(bundle("compliance"))]);
    const first = await Promise.race([slow, activated]);
    expect(Array.isArray(first)).toBe(true);
    const after = await decide();
    expect(digestsOf(after)).toEqual(["sha256:second", "sha256:compliance"]);
    for (const decision of await Promise.all([slow, ...before])) {
      expect(digestsOf(decision)).toEqual(["sha256:crm"]);
      expect(decision.verdicts.every(({ ok }) => ok)).toBe(true);
    }
  });

  it("denies before the first set and after the end, and never rejects", async () => {
    const own = open();
    const request = { server: "crm", parts: callParts("crm"), timeMs: 0 };
    expect((await own.decide(request)).verdicts).toMatchObject([{ code: "no_policy" }]);
    await own.activate([layerOf(bundle("crm"))]);
    await own.close();
    expect((await own.decide(request)).verdicts).toMatchObject([{ code: "policy_error" }]);
  });

  it("gives a policy no more memory than it may have", async () => {
    const own = open({ memoryMaxMb: 1 });
    await own.activate([layerOf(bundle("crm"))]);
    const args = JSON.stringify({ list: Array.from({ length: 20_000 }, (_, place) => place) });
    const { verdicts } = await own.decide({
      server: "crm",
      parts: callParts("crm", args),
      timeMs: 0,
    });
    expect(verdicts[0]).toMatchObject({ ok: false, message: "classifying: opa_malloc: failed" });
    const next = await own.decide({ server: "crm", parts: callParts("crm"), timeMs: 0 });
    expect(next.verdicts[0]).toMatchObject({ ok: true });
  });

  it("answers with several workers as with one", async () => {
    const own = open({ workers: 2, spare: true });
    await own.activate([layerOf(bundle("crm"))]);
    const decisions = await Promise.all(
      Array.from({ length: 20 }, () =>
        own.decide({ server: "crm", parts: callParts("crm"), timeMs: 0 }),
      ),
    );
    expect(decisions.every(({ verdicts }) => verdicts[0]?.ok)).toBe(true);
  });
});
