/**
 * The answer document of one decision, made of the matches that decided it. Fields with one value
 * come from the first of them.
 */
import type { BundleStamp, DecisionAnswer, Effect } from "../../contract/answer.ts";
import type { LayerVerdict, RuleMatch } from "../../contract/layer.ts";
import type { CombineRequest, FromLayer } from "./combined-decision.ts";

export interface Conclusion {
  readonly effect: Effect;
  readonly reasons: readonly string[];
  /** Denials, holds or grants, in layer order. */
  readonly deciding: readonly FromLayer<RuleMatch>[];
}

/** Builds the answer as it is recorded; what a client may see of it is for enforcement. */
export function buildAnswer(
  { decisionId }: Pick<CombineRequest, "decisionId">,
  verdicts: readonly LayerVerdict[],
  { effect, reasons, deciding }: Conclusion,
): DecisionAnswer {
  const first = deciding[0];
  const server = verdicts.find(({ layer }) => layer.kind === "server");
  const refused = effect === "allow" ? [] : deciding;
  return {
    allow: effect === "allow",
    effect,
    enforced: true,
    reasons,
    remediation: refused[0]?.match.remediation ?? null,
    metadata: {
      decision_id: decisionId,
      policy_version: (first ?? server)?.layer.revision ?? "",
      matched_rules: unique(deciding.map(({ match }) => match.rule)),
      alternatives: unique(refused.flatMap(({ match }) => match.alternatives)),
      appeal_path: refused[0]?.match.appeal ?? null,
      rate_limit_remaining: null,
      rate_limit_resets_at: null,
      audit_required: verdicts.some(needsAudit),
      bundles: bundleStamps(verdicts),
    },
  };
}

/** True where any rule that matched, decisive or not, asks for a synchronous, long-lived record. */
function needsAudit(verdict: LayerVerdict): boolean {
  if (!verdict.ok) return false;
  const { allow, deny, requireApproval, hide } = verdict.output;
  return [...allow, ...deny, ...requireApproval, ...hide].some(({ audit }) => audit);
}

function bundleStamps(verdicts: readonly LayerVerdict[]): Readonly<Record<string, BundleStamp>> {
  const active = verdicts.filter(({ layer }) => layer.digest !== "");
  return Object.fromEntries(
    active.map(({ layer }) => [layer.name, { revision: layer.revision, digest: layer.digest }]),
  );
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
