import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { LayerVerdict } from "../../../src/contract/layer.ts";
import type { AdmissionRecord, DecisionLog } from "../../../src/contract/record.ts";
import { createGatewayMetrics } from "../../../src/gateway/signals/gateway-metrics.ts";
import { measuredLog } from "../../../src/gateway/signals/measured-log.ts";
import { MetricRegistry } from "../../../src/telemetry/metrics/metric-registry.ts";
import { admission, allowed } from "../../decision/support.ts";
import { createTestLog } from "../../support/log.ts";

function openMeasured(log: Partial<DecisionLog> = {}) {
  const registry = new MetricRegistry(createTestLog());
  const quiet = {
    admit: async () => {},
    settle: () => {},
    note: async () => {},
    close: async () => {},
  };
  const metrics = createGatewayMetrics(registry);
  const measured = measuredLog({ ...quiet, ...log }, metrics, systemClock);
  const valuesOf = async (name: string): Promise<unknown> => {
    const family = (await registry.read()).find((one) => one.name === `mcp_gateway_${name}`);
    return Object.fromEntries(
      (family?.samples ?? []).map(({ labels, value }) => [
        labels.map(([, text]) => text).join(" "),
        value,
      ]),
    );
  };
  return { measured, valuesOf };
}

const failedVerdict = (canaryOf?: string): LayerVerdict => ({
  ok: false,
  layer: { name: "rules", kind: "compliance", revision: "1", digest: "", canaryOf },
  code: "policy_error",
  message: "it threw",
});

function observed(record: AdmissionRecord): AdmissionRecord {
  return { ...record, answer: { ...record.answer, effect: "deny", enforced: false } };
}

describe("what is counted of a decision", () => {
  test("is its effect, and of what is not allowed its reasons", async () => {
    const { measured, valuesOf } = openMeasured();
    const denied = admission();
    await measured.admit(denied);
    await measured.admit(allowed());
    await measured.admit(observed(denied));
    const place = `${denied.server} ${denied.tool} ${denied.actionType}`;
    expect(await valuesOf("decisions_total")).toMatchObject({
      [`${place} deny`]: 1,
      [`${place} observed`]: 1,
    });
    const [code = ""] = denied.answer.reasons;
    expect(await valuesOf("denial_reasons_total")).toMatchObject({ [code]: 2 });
  });

  test("is nothing where it could not be recorded, and the failure goes on", async () => {
    const { measured, valuesOf } = openMeasured({
      admit: () => Promise.reject(new Error("disk full")),
    });
    await expect(measured.admit(admission())).rejects.toThrow("disk full");
    expect(await valuesOf("decisions_total")).toEqual({});
  });

  test("is never the name of a tool that there is not", async () => {
    const { measured, valuesOf } = openMeasured();
    await measured.admit(admission({ tool: null, server: "", exposedName: "made-up" }));
    expect(JSON.stringify(await valuesOf("decisions_total"))).not.toContain("made-up");
  });
});

describe("series that servers and bundles could make", () => {
  const decided = 6000;
  const total = (values: unknown): number =>
    Object.values(Object(values)).reduce((sum: number, value) => sum + Number(value), 0);

  test("have a bound for each metric, and what goes past it is counted", async () => {
    const { measured, valuesOf } = openMeasured();
    for (let number = 0; number < decided; number += 1) {
      const made = `${number}-${"x".repeat(300)}`;
      const record = admission({ server: "hostile", tool: `tool-${made}` });
      const metadata = { ...record.answer.metadata, matched_rules: [`rule-${made}`] };
      await measured.admit({
        ...record,
        answer: { ...record.answer, metadata, reasons: [`code-${made}`] },
        timings: { policyMs: 1, totalMs: 2, layerMs: { [`layer-${made}`]: 1 } },
        layers: [
          { ...failedVerdict(), layer: { ...failedVerdict().layer, name: `layer-${made}` } },
        ],
      });
    }
    // What is past the bound is one series for each combination of the values that are our own.
    for (const [name, most] of [
      ["decisions_total", 2001],
      ["denial_reasons_total", 201],
      ["matched_rules_total", 501],
      ["layer_failures_total", 501],
    ] as const) {
      const values = await valuesOf(name);
      expect([name, Object.keys(Object(values)).length]).toEqual([name, most]);
      expect([name, total(values)]).toEqual([name, decided]);
    }
    expect(Object.keys(Object(await valuesOf("layer_duration_seconds")))).toHaveLength(101);
  });

  test("of one server leave the others their totals", async () => {
    const { measured, valuesOf } = openMeasured();
    for (let number = 0; number < 2500; number += 1) {
      await measured.admit(admission({ server: "hostile", tool: `tool-${number}` }));
    }
    for (let number = 0; number < 7; number += 1) {
      await measured.admit(admission({ server: "crm", tool: `get-${number}` }));
    }
    expect(await valuesOf("decisions_total")).toMatchObject({
      "crm other tool_call deny": 7,
      "hostile other tool_call deny": 500,
    });
  });
});

describe("what went on although a layer failed", () => {
  test("is counted, should it ever happen: a failing layer denies, in observe too", async () => {
    const { measured, valuesOf } = openMeasured();
    await measured.admit({ ...observed(admission()), layers: [failedVerdict()] });
    expect(await valuesOf("fail_open_total")).toEqual({ layer_failed: 1 });
    expect(await valuesOf("layer_failures_total")).toEqual({ "rules policy_error": 1 });
  });

  test("is nothing where the call was denied, or a canary failed", async () => {
    const { measured, valuesOf } = openMeasured();
    await measured.admit({ ...admission(), layers: [failedVerdict()] });
    await measured.admit({ ...allowed(), layers: [failedVerdict("rules")] });
    expect(await valuesOf("fail_open_total")).toEqual({});
  });
});
