/**
 * One decision on one line.
 */
import type { DecisionSummary } from "../../decision/store/query-decisions.ts";
import type { Column } from "../print.ts";

export const decisionColumns: readonly Column<DecisionSummary>[] = [
  { title: "TIME", cell: ({ time }) => time },
  { title: "EFFECT", cell: describeEffect },
  { title: "AGENT", cell: ({ agent }) => agent ?? "-" },
  { title: "SERVER", cell: ({ server }) => server ?? "-" },
  { title: "TOOL", cell: ({ tool, exposed_name }) => tool ?? exposed_name ?? "-" },
  { title: "REASONS", cell: ({ reasons }) => (reasons ?? []).join(",") || "-" },
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
  { title: "LATENCY", cell: ({ latency_ms }) => inMs(latency_ms) },
  { title: "ID", cell: ({ decision_id }) => decision_id },
];

function describeEffect({ effect, enforced }: DecisionSummary): string {
  return enforced === false ? `${effect} (observed)` : (effect ?? "-");
}

/** A time as a cell; `-` where nothing was measured. */
export function inMs(milliseconds: number | null): string {
  if (milliseconds === null) return "-";
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)}ms`;
}
