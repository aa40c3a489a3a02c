/**
 * What expressions of alert rules and dashboards name, held against the metrics of a gateway.
 */
import type { ReadFamily } from "./prometheus-text.ts";

type Families = ReadonlyMap<string, ReadFamily>;

/** Metrics that an expression names, with the labels that it asks of each or groups by. */
export function namedIn(
  expression: string,
): readonly { readonly metric: string; readonly labels: readonly string[] }[] {
  const grouped = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(",").map((label) => label.trim()),
  );
  return [...expression.matchAll(/(mcp_gateway_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = "", inner = ""]) => {
      const asked = [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label);
      return { metric, labels: [...asked, ...grouped] };
    },
  );
}

/** Labels of a series as it is scraped; `instance` and `job` are the scraper's own. */
export function labelsOf(families: Families, metric: string): ReadonlySet<string> {
  const found = samplesOf(families).filter(({ name }) => name === metric);
  return new Set(["instance", "job", ...found.flatMap(({ labels }) => Object.keys(labels))]);
}

/** Everything that these expressions name and the gateway does not have. */
export function strangeNames(
  expressions: readonly string[],
  families: Families,
): readonly string[] {
  const known = new Set(samplesOf(families).map(({ name }) => name));
  return expressions.flatMap((expression) =>
    namedIn(expression).flatMap(({ metric, labels }) => {
      if (!known.has(metric)) return [`no series ${metric}`];
      const strange = labels.filter((label) => !labelsOf(families, metric).has(label));
      return strange.map((label) => `no label ${label} on ${metric}`);
    }),
  );
}

function samplesOf(families: Families) {
  return [...families.values()].flatMap(({ samples }) => samples);
}
