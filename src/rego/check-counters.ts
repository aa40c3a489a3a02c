/**
 * Whether the counters that a manifest declares can be read: the gateway refuses a bundle where they
 * cannot, and its author hears of it here.
 */
import { readCounters } from "../contract/counter.ts";
import type { RegoProblem } from "./answers.ts";
import type { PolicySources } from "./create-rego-toolchain.ts";

/** What is wrong with `metadata.counters`; the first finding of it. */
export function counterProblems({ manifest }: PolicySources): readonly RegoProblem[] {
  const reading = readCounters(manifest?.metadata?.["counters"]);
  if (reading.ok) return [];
  const path = ["metadata", "counters", ...reading.path].join(".");
  const place = { file: ".manifest", row: 0, col: 0 };
  return [
    { code: "contract_counters", message: `${path}: ${reading.message}`, ...place, details: [] },
  ];
}
