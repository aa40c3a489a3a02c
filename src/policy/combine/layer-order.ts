/**
 * The order in which layers count wherever only one of them can be named: by kind, then as
 * configured, and canaries after them all; within a layer by code.
 */
import { layerKinds } from "../../contract/bundle.ts";
import type { LayerVerdict, RuleMatch } from "../../contract/layer.ts";

/**
 * Verdicts by kind, canaries last; those of one kind keep the order in which they came (that of the
 * config).
 */
export function inLayerOrder(verdicts: readonly LayerVerdict[]): readonly LayerVerdict[] {
  return verdicts.toSorted((left, right) => rank(left) - rank(right));
}

/** Matches of one layer by code, then by rule, so that an answer never depends on set order. */
export function byCode<Match extends RuleMatch>(matches: readonly Match[]): readonly Match[] {
  return matches.toSorted(
    (left, right) => compareText(left.code, right.code) || compareText(left.rule, right.rule),
  );
}

/** By code units, so that an order is the same everywhere. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function rank(verdict: LayerVerdict): number {
  const { kind, canaryOf } = verdict.layer;
  return layerKinds.indexOf(kind) + (canaryOf === undefined ? 0 : layerKinds.length);
}
