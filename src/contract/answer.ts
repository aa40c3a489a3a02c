/**
 * The answer of the policy decision point for one action: recorded whole, returned to the client
 * within each rule's `disclose`. The JSON document itself (snake_case), as DESIGN calls it.
 */
export type Effect = "allow" | "deny" | "hold";

export interface DecisionAnswer {
  readonly allow: boolean;
  readonly effect: Effect;
  /** False where `mode: observe` let a denial through. */
  readonly enforced: boolean;
  /** Codes, first by layer order, then by code. */
  readonly reasons: readonly string[];
  /** Of the first denial. */
  readonly remediation: string | null;
  readonly metadata: {
    readonly decision_id: string;
    /** Revision of the bundle that decided: the first denial's, else the server's. */
    readonly policy_version: string;
    readonly matched_rules: readonly string[];
    readonly alternatives: readonly string[];
    readonly appeal_path: string | null;
    /** Of the tightest counter: what is left after this decision, and when more is; RFC 3339. */
    readonly rate_limit_remaining: number | null;
    readonly rate_limit_resets_at: string | null;
    readonly audit_required: boolean;
    /** By layer name. */
    readonly bundles: Readonly<Record<string, BundleStamp>>;
  };
}

export interface BundleStamp {
  readonly revision: string;
  readonly digest: string;
}
