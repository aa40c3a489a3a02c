/**
 * Metrics in the text format of Prometheus, version 0.0.4: a line of help and one of the type for
 * each metric, then one line a series; of a histogram one a bucket, cumulated, with sum and count.
 */
import type { MetricFamily, Sample } from "./metrics.ts";

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** All families as one document. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families.map(familyText).join("");
}

function familyText(family: MetricFamily): string {
  const { name, help, kind, samples } = family;
  const lines = samples.flatMap((sample) =>
    kind === "histogram"
      ? histogramLines(family, sample)
      : [line(name, sample.labels, sample.value)],
  );
  const head = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${kind}`];
  return `${[...head, ...lines].join("\n")}\n`;
}

function histogramLines({ name, bounds = [] }: MetricFamily, sample: Sample): readonly string[] {
  const { labels, counts = [], value } = sample;
  let total = 0;
  const buckets = counts.map((count, place) => {
    total += count;
    const bound = place < bounds.length ? String(bounds[place]) : "+Inf";
    return line(`${name}_bucket`, [...labels, ["le", bound]], total);
  });
  return [...buckets, line(`${name}_sum`, labels, value), line(`${name}_count`, labels, total)];
}

function line(name: string, labels: Sample["labels"], value: number): string {
  const shown = labels.map(([label, text]) => `${label}="${escapeValue(text)}"`).join(",");
  return `${name}${shown === "" ? "" : `{${shown}}`} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
