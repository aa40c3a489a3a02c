/**
 * Whether the masks that a manifest declares can be read, and whether anybody would apply them: they
 * are for the calls of one server, so only its own bundle has any.
 */
import { readLogMasks } from "../contract/log-mask.ts";
import type { RegoProblem } from "./answers.ts";
import type { PolicySources } from "./create-rego-toolchain.ts";

/** What is wrong with `metadata.masks`; the first finding of it. */
export function maskProblems({ manifest, layer }: PolicySources): readonly RegoProblem[] {
  const reading = readLogMasks(manifest?.metadata?.["masks"]);
  if (!reading.ok) {
    const path = ["metadata", "masks", ...reading.path].join(".");
    return [problem(`${path}: ${reading.message}`)];
  }
  const kind = layer ?? manifest?.metadata?.["layer"] ?? "server";
  if (kind === "server" || reading.masks.length === 0) return [];
  const message = `metadata.masks: expected none in a bundle of another kind, found ${reading.masks.length}; declare them in the bundle of the server`;
  return [problem(message)];
}

function problem(message: string): RegoProblem {
  return { code: "contract_masks", message, file: ".manifest", row: 0, col: 0, details: [] };
}
