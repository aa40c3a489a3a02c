import { describe, expect, test } from "vitest";
import { MetricRegistry } from "../../../src/telemetry/metrics/metric-registry.ts";
import { Counter, Gauge, Histogram } from "../../../src/telemetry/metrics/metrics.ts";
import { prometheusText } from "../../../src/telemetry/metrics/prometheus-text.ts";
import { createTestLog } from "../../support/log.ts";
import { readPrometheusText } from "../../support/prometheus-text.ts";

const about = { name: "calls_total", help: "Calls." };

function samplesOf(metric: Counter | Gauge | Histogram): unknown {
  const text = prometheusText([metric.read()]);
  return [...readPrometheusText(text).values()][0]?.samples.map(({ name, labels, value }) => [
    name,
    labels,
    value,
  ]);
}

describe("series", () => {
  test("are one for each combination of label values", () => {
    const counter = new Counter({ ...about, labels: ["server", "tool"] });
    counter.add(["a", "b"]);
    counter.add(["a", "b"], 2);
    counter.add(["b", "a"]);
    expect(samplesOf(counter)).toEqual([
      ["calls_total", { server: "a", tool: "b" }, 3],
      ["calls_total", { server: "b", tool: "a" }, 1],
    ]);
  });

  test("without labels there is one, from the beginning", () => {
    const counter = new Counter(about);
    expect(samplesOf(counter)).toEqual([["calls_total", {}, 0]]);
    counter.add();
    counter.take(7);
    expect(samplesOf(counter)).toEqual([["calls_total", {}, 7]]);
  });

  test("past the cap count as other where somebody else chooses the value, and nowhere else", () => {
    const counter = new Counter({
      ...about,
      labels: ["tool", "effect"],
      open: ["tool"],
      maxSeries: 3,
    });
    for (let number = 0; number < 1000; number += 1) {
      counter.add([`tool-${number}`, number % 2 === 0 ? "allow" : "deny"]);
    }
    expect(samplesOf(counter)).toEqual([
      ["calls_total", { tool: "tool-0", effect: "allow" }, 1],
      ["calls_total", { tool: "tool-1", effect: "deny" }, 1],
      ["calls_total", { tool: "tool-2", effect: "allow" }, 1],
      ["calls_total", { tool: "other", effect: "deny" }, 499],
      ["calls_total", { tool: "other", effect: "allow" }, 498],
    ]);
  });

  test("of values that no encoding can write are one, and each stands there once", () => {
    const counter = new Counter({ ...about, labels: ["code"] });
    for (const code of ["\ud800", "\udbff", "\ufffd"]) counter.add([code]);
    counter.add(["x".repeat(500)]);
    counter.add([`${"x".repeat(128)}y`]);
    expect(samplesOf(counter)).toEqual([
      ["calls_total", { code: "\ufffd" }, 3],
      ["calls_total", { code: "x".repeat(128) }, 2],
    ]);
  });

  test("with quotes, backslashes and line ends are read back as they were", () => {
    const counter = new Counter({ ...about, labels: ["code"] });
    const hostile = 'a"} 5\n# TYPE x counter\nx{y="\\';
    counter.add([hostile]);
    expect(samplesOf(counter)).toEqual([["calls_total", { code: hostile }, 1]]);
  });
});

describe("a histogram", () => {
  test("has cumulated buckets, the bound belonging to its bucket", () => {
    const histogram = new Histogram({ name: "seconds", help: "Time.", bounds: [0.1, 1] });
    for (const value of [0.1, 0.5, 1, 7]) histogram.observe(value);
    expect(samplesOf(histogram)).toEqual([
      ["seconds_bucket", { le: "0.1" }, 1],
      ["seconds_bucket", { le: "1" }, 3],
      ["seconds_bucket", { le: "+Inf" }, 4],
      ["seconds_sum", {}, 8.6],
      ["seconds_count", {}, 4],
    ]);
  });

  test("takes no number that is none, nor one of a clock that went back", () => {
    const histogram = new Histogram({ name: "seconds", help: "Time.", bounds: [1] });
    for (const value of [Number.NaN, -1]) histogram.observe(value);
    expect(histogram.read().samples[0]).toMatchObject({ value: 0, counts: [0, 0] });
  });
});

describe("a reading", () => {
  test("looks first, and at everything although one look fails and another hangs", async () => {
    const log = createTestLog();
    const registry = new MetricRegistry(log);
    const gauge = registry.add(new Gauge({ name: "depth", help: "Depth." }));
    registry.onRead(() => {
      throw new Error("away");
    });
    registry.onRead(() => new Promise<void>(() => {}));
    registry.onRead(() => gauge.set(3));
    const [family] = await registry.read();
    expect(family?.samples).toEqual([{ labels: [], value: 3 }]);
    expect(log.lines).toMatchObject([{ level: "debug", data: { reason: "away" } }]);
  });

  test("is one for all who ask meanwhile", async () => {
    const registry = new MetricRegistry(createTestLog());
    let looks = 0;
    registry.onRead(() => void (looks += 1));
    await Promise.all([registry.read(), registry.read(), registry.read()]);
    expect(looks).toBe(1);
    await registry.read();
    expect(looks).toBe(2);
  });
});
