/**
 * Metrics as an OTLP `ExportMetricsServiceRequest` in JSON: cumulative sums, gauges and histograms
 * with explicit bounds, under the names that Prometheus sees.
 */
import type { MetricFamily, Sample } from "../metrics/metrics.ts";
import type { Resource } from "./otlp-value.ts";
import { encodeAttributes, encodeTime, scopeOf } from "./otlp-value.ts";

const cumulative = 2;

export interface MetricSpan {
  /** Since when counters count, milliseconds since the epoch. */
  readonly startMs: number;
  readonly timeMs: number;
}

/** The document of these families at one time. */
export function encodeMetrics(
  families: readonly MetricFamily[],
  span: MetricSpan,
  resource: Resource,
  version: string,
) {
  const metrics = families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => ({
      name: family.name,
      description: family.help,
      unit: unitOf(family.name),
      ...pointsOf(family, span),
    }));
  return {
    resourceMetrics: [
      {
        resource: { attributes: encodeAttributes(resource) },
        scopeMetrics: [{ scope: scopeOf(version), metrics }],
      },
    ],
  };
}

function pointsOf({ kind, samples, bounds = [] }: MetricFamily, { startMs, timeMs }: MetricSpan) {
  const at = { startTimeUnixNano: encodeTime(startMs), timeUnixNano: encodeTime(timeMs) };
  const numbers = samples.map((sample) => ({
    attributes: attributesOf(sample),
    ...at,
    asDouble: sample.value,
  }));
  switch (kind) {
    case "counter": {
      const about = { aggregationTemporality: cumulative, isMonotonic: true };
      return { sum: { dataPoints: numbers, ...about } };
    }
    case "gauge":
      return { gauge: { dataPoints: numbers } };
    case "histogram": {
      const dataPoints = samples.map((sample) => ({
        attributes: attributesOf(sample),
        ...at,
        count: String((sample.counts ?? []).reduce((sum, count) => sum + count, 0)),
        sum: sample.value,
        bucketCounts: (sample.counts ?? []).map(String),
        explicitBounds: bounds,
      }));
      return { histogram: { dataPoints, aggregationTemporality: cumulative } };
    }
  }
}

function attributesOf({ labels }: Sample) {
  return encodeAttributes(Object.fromEntries(labels));
}

function unitOf(name: string): string {
  if (/_seconds(?:_total)?$/.test(name)) return "s";
  return name.endsWith("_bytes") ? "By" : "1";
}
