import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isJsonObject } from "../../../src/contract/json.ts";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { LayerVerdict } from "../../../src/contract/layer.ts";
import type { PolicyEngine } from "../../../src/policy/engine/policy-engine.ts";
import { compileFiveLayers, deciderOf, verdictOf } from "./five-layers.ts";
import type { Decide } from "./five-layers.ts";
import { callParts, layerOf, testEngine } from "./policies.ts";

let engine: PolicyEngine;
let decide: Decide;

beforeAll(async () => {
  const bundles = await compileFiveLayers();
  engine = testEngine();
  const results = await engine.activate(bundles.map((bundle) => layerOf(bundle)));
  if (!results.every(({ ok }) => ok)) throw new Error(JSON.stringify(results));
  decide = deciderOf(engine);
});
afterAll(() => engine.close());

function denied(found: LayerVerdict): readonly string[] {
  if (!found.ok) throw new Error(found.message);
  return found.output.deny.map(({ code }) => code);
}

/** Counts messages to workers that ask something; a worker in reserve may still be loading. */
function watchQuestions(): () => number {
  const sent = vi.spyOn(Worker.prototype, "postMessage");
  return () => {
    const asked = sent.mock.calls.filter(([message]) => Object(message).type !== "load");
    sent.mockRestore();
    return asked.length;
  };
}

describe("a decision with five layers", () => {
  it("has one verdict per layer, in the order of the set, with what METADATA says", async () => {
    const { verdicts, evalMs } = await decide();
    expect(verdicts.map(({ ok, layer }) => [layer.name, ok])).toEqual([
      ["crm", true],
      ["identity", true],
      ["workflow", true],
      ["compliance", true],
      ["overrides", true],
    ]);
    expect(verdictOf(verdicts, "crm")).toMatchObject({
      layer: { kind: "server", revision: "1.0.0", digest: "sha256:crm" },
      output: { allow: [{ rule: "crm.read", code: "crm.read", title: "Reading", audit: true }] },
    });
    expect(evalMs).toBeGreaterThan(0);
  });

  it("tells each layer what the ones before it said, and the server's its own part", async () => {
    const { verdicts } = await decide();
    for (const name of ["crm", "workflow", "compliance"]) {
      expect(denied(verdictOf(verdicts, name))).toEqual([]);
    }
  });

  it("adds the server's classes and labels to the floor before anybody else is asked", async () => {
    const floor = { dataClasses: ["secret"], labels: ["floor"] };
    const { verdicts, dataClasses, labels } = await decide({ strict: true, label: true }, floor);
    expect(dataClasses).toEqual(["customer_data", "secret"]);
    expect(labels).toEqual(["floor", "from_crm"]);
    expect(denied(verdictOf(verdicts, "workflow"))).toEqual(["class_secret"]);
    expect(verdictOf(verdicts, "compliance")).toMatchObject({
      output: { deny: [{ details: { classes: dataClasses, labels } }] },
    });
  });

  it("hands the overrides what was denied, and whether its author allows waivers", async () => {
    const { verdicts } = await decide({ strict: true }, { dataClasses: ["secret"] });
    expect(verdictOf(verdicts, "overrides")).toMatchObject({
      output: {
        waive: [{ bundle: "compliance", rule: "compliance.strict", justification: "strict" }],
      },
    });
  });

  it("is one message to the worker and one back", async () => {
    const sent = watchQuestions();
    const { verdicts } = await decide();
    expect(sent()).toBe(1);
    expect(verdicts).toHaveLength(5);
  });

  it("leaves out the layers that it is told to, and is one message all the same", async () => {
    const sent = watchQuestions();
    const unasked = ["identity", "overrides", "crm"];
    const parts = callParts("crm", JSON.stringify({ strict: true }));
    const { verdicts, inputJson } = await engine.decide({
      server: "crm",
      unasked,
      parts,
      timeMs: 1_764_000_000_123,
    });
    expect(sent()).toBe(1);
    expect(verdicts.map(({ layer }) => layer.name)).toEqual(["crm", "workflow", "compliance"]);
    expect(JSON.parse(inputJson)).toMatchObject({ layers: {} });
    expect((await decide()).verdicts).toHaveLength(5);
  });

  it("knows one time, the decision's", async () => {
    const { verdicts } = await decide();
    expect(verdictOf(verdicts, "compliance")).toMatchObject({
      output: { warn: [{ code: "1764000000123000000" }] },
    });
  });

  it("records the input as the organisation's layers saw it", async () => {
    const { inputJson } = await decide({ a: 1 });
    const input: JsonObject = JSON.parse(inputJson);
    expect(input).toMatchObject({
      action: { args: { a: 1 }, data_classes_referenced: ["customer_data"], labels: [] },
      context: { servers_called: ["crm", "mail"] },
      layers: { identity: { capabilities: { servers: ["crm"] } } },
      approval: null,
    });
    expect(isJsonObject(input) && "denials" in input).toBe(false);
  });

  it("says unclassified where nobody says anything, and no_policy without a bundle", async () => {
    const { dataClasses, verdicts } = await decide({}, {}, "mail");
    expect(dataClasses).toEqual(["unclassified"]);
    expect(verdictOf(verdicts, "mail")).toMatchObject({ ok: false, code: "no_policy" });
    expect(verdicts.map(({ layer }) => layer.name)).not.toContain("crm");
  });
});

function listInput(tool: string): string {
  return `{"version":1,"phase":"list","agent":{"id":"bot"},"action":{"type":"tool_call","tool":"${tool}"}}`;
}

describe("visibility", () => {
  it("asks the layers that have something to say, for all tools of a list at once", async () => {
    const inputs = ["get", "hidden"].map(listInput);
    const seen = await engine.visibility({ server: "crm", inputs, timeMs: 0 });
    expect(seen).toHaveLength(2);
    for (const { verdicts } of seen) {
      expect(verdicts.map(({ layer }) => layer.name)).toEqual(["identity", "compliance"]);
    }
    expect(seen.map(({ verdicts }) => verdictOf(verdicts, "compliance"))).toMatchObject([
      { output: { hide: [] } },
      { output: { hide: [{ code: "hidden" }] } },
    ]);
    const [first] = seen;
    expect(first && verdictOf(first.verdicts, "identity")).not.toHaveProperty(
      "output.parentCapabilities",
    );
    expect(seen.map(({ verdicts }) => verdictOf(verdicts, "identity"))).toMatchObject([
      { output: { capabilities: { servers: ["crm"] } } },
      { output: { capabilities: { servers: ["crm"] } } },
    ]);
  });

  it("asks identity layers about the agents above, in the same message", async () => {
    const sent = watchQuestions();
    const inputs = ["get", "hidden"].map(listInput);
    const parentInputs = inputs.map((input) => [input, input]);
    const seen = await engine.visibility({ server: "crm", inputs, parentInputs, timeMs: 0 });
    expect(sent()).toBe(1);
    for (const { verdicts } of seen) {
      const [own, ...above] = [{ servers: ["crm"] }, { servers: ["crm"] }, { servers: ["crm"] }];
      expect(verdictOf(verdicts, "identity")).toMatchObject({
        output: { capabilities: own, parentCapabilities: above },
      });
      expect(verdictOf(verdicts, "compliance")).not.toHaveProperty("output.parentCapabilities");
    }
  });
});
