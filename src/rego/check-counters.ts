/**
 * Whether the counters that a manifest declares can be read, and whether anybody would count them: the
 * gateway refuses a bundle where they cannot, a library is no layer and counts nothing, and the author
 * hears of it here.
 */
import { readCounters } from "../contract/counter.ts";
import type { RegoProblem } from "./answers.ts";
import type { PolicySources } from "./create-rego-toolchain.ts";

/** What is wrong with `metadata.counters`; the first finding of it. */
export function counterProblems({ manifest, layer }: PolicySources): readonly RegoProblem[] {
  const reading = readCounters(manifest?.metadata?.["counters"]);
  if (!reading.ok) {
    const path = ["metadata", "counters", ...reading.path].join(".");
    return [problem(`${path}: ${reading.message}`)];
  }
  const isLibrary = (layer ?? manifest?.metadata?.["layer"]) === "library";
  if (!isLibrary || reading.counters.length === 0) return [];
  const found = reading.counters.map(({ name }) => name).join(", ");
  return [
    problem(
      `metadata.counters: expected none in a library, which counts nothing, found ${found}; declare them in the bundle that requires it`,
    ),
  ];
}

function problem(message: string): RegoProblem {
  return { code: "contract_counters", message, file: ".manifest", row: 0, col: 0, details: [] };
}
