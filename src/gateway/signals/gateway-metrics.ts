/**
 * What the gateway counts while it works: decisions, their reasons and rules, how long each part took,
 * what became of calls. Labels are names of servers, tools, layers, rules and codes: never who called,
 * nor anything that was sent. What a bundle or a server chooses is capped.
 */
import type { MetricRegistry } from "../../telemetry/metrics/metric-registry.ts";
import { Counter, Histogram } from "../../telemetry/metrics/metrics.ts";
import type { LabelNames } from "../../telemetry/metrics/series.ts";

const decisionBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;
const callBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;

/** Registers them; each is used by one step. */
export function createGatewayMetrics(registry: MetricRegistry) {
  const counter = (name: string, help: string, names: LabelNames): Counter =>
    registry.add(new Counter({ name: `mcp_gateway_${name}`, help, ...names }));
  const histogram = (name: string, help: string, setting: BucketSetting): Histogram =>
    registry.add(new Histogram({ name: `mcp_gateway_${name}`, help, ...setting }));
  return { ...decisionMetrics(counter, histogram), ...otherMetrics(counter, histogram) };
}

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

type BucketSetting = LabelNames & { readonly bounds: readonly number[] };
type MakeCounter = (name: string, help: string, names: LabelNames) => Counter;
type MakeHistogram = (name: string, help: string, setting: BucketSetting) => Histogram;

function decisionMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
    decisions: counter(
      "decisions_total",
      "Decisions by server, tool, kind of action and effect; observed: a denial that was not enforced.",
      { labels: ["server", "tool", "action", "effect"], open: ["tool"], maxSeries: 2000 },
    ),
    reasons: counter(
      "denial_reasons_total",
      "Codes of the reasons for which something was not allowed.",
      { labels: ["code"], open: ["code"], maxSeries: 200 },
    ),
    rules: counter("matched_rules_total", "Rules that matched a decision.", {
      labels: ["rule"],
      open: ["rule"],
    }),
    decisionSeconds: histogram(
      "decision_duration_seconds",
      "Time of a decision by phase: policy, decide (from arrival to its record), record (until that is durable).",
      { labels: ["phase"], bounds: decisionBounds },
    ),
    layerSeconds: histogram(
      "layer_duration_seconds",
      "Time that each layer of policy took for a decision.",
      { labels: ["layer"], open: ["layer"], maxSeries: 100, bounds: decisionBounds },
    ),
    layerFailures: counter(
      "layer_failures_total",
      "Layers that gave no answer that counts, by code.",
      { labels: ["layer", "code"], open: ["layer"] },
    ),
  };
}

function otherMetrics(counter: MakeCounter, histogram: MakeHistogram) {
  return {
    callSeconds: histogram(
      "call_duration_seconds",
      "Time of what was allowed, from arrival to its end, by outcome.",
      { labels: ["outcome"], bounds: callBounds },
    ),
    failOpen: counter(
      "fail_open_total",
      "Requests that went on although something failed: unrecorded (decisions.on_failure continue), layer_failed (a layer gave no answer; nothing lets that happen).",
      { labels: ["path"] },
    ),
    bundleEvents: counter(
      "bundle_events_total",
      "Changes of what decides, by source: activated, rejected, withdrawn, held and so on.",
      { labels: ["source", "event"], open: ["source"] },
    ),
    bundleFailures: counter(
      "bundle_failures_total",
      "Requests to a source of policy that failed, and bundles of it that were refused.",
      { labels: ["source"], open: ["source"] },
    ),
  };
}
