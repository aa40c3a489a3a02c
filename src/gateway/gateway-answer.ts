/**
 * Denials that the gateway itself makes, where no layer could be asked or heard.
 */
import type { GatewayCode } from "../contract/layer.ts";
import type { CombinedDecision } from "../policy/combine.ts";

/** A combined decision that denies with one of the gateway's own codes. */
export function gatewayDenial(decisionId: string, code: GatewayCode): CombinedDecision {
  return {
    hidden: false,
    answer: {
      allow: false,
      effect: "deny",
      enforced: true,
      reasons: [code],
      remediation: null,
      metadata: {
        decision_id: decisionId,
        policy_version: "",
        matched_rules: [],
        alternatives: [],
        appeal_path: null,
        rate_limit_remaining: null,
        audit_required: false,
        bundles: {},
      },
    },
    denials: [],
    holds: [],
    usedWaivers: [],
    expiredWaivers: [],
    obligations: [],
    warnings: [],
  };
}
