/**
 * What one layer said about one call, after its answer was read strictly. `combine` works on these
 * and on nothing else; the record keeps them whole.
 */
import type { LayerKind } from "./bundle.ts";
import type { Json, JsonObject } from "./json.ts";

/** How much of a matched rule a client may see. */
export type Disclose = "text" | "code" | "none";

/** One element of `allow`, `deny`, `require_approval`, `hide` or `warn`, with its rule's METADATA. */
export interface RuleMatch {
  /** METADATA `custom.id`, else `package.rule`. */
  readonly rule: string;
  /** METADATA `custom.code`, else the element's own code, else the rule id. */
  readonly code: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly severity: string | undefined;
  readonly remediation: string | undefined;
  readonly appeal: string | undefined;
  readonly alternatives: readonly string[];
  readonly overridable: boolean;
  readonly disclose: Disclose;
  readonly audit: boolean;
  readonly owner: string | undefined;
  /** METADATA `custom.actions`: other action types that an `allow` grants. */
  readonly actions: readonly string[];
  /** A sentence made by the policy for this call (`msg`). */
  readonly message: string | undefined;
  readonly details: Json | undefined;
}

export interface ApprovalRequest extends RuleMatch {
  readonly approvers: readonly string[];
  readonly channels: readonly string[];
  readonly ttlSeconds: number | undefined;
}

export interface Obligation {
  readonly id: string;
  readonly type: string;
  readonly properties: JsonObject;
}

/** What an agent may be in. `*` alone, exact names, or a prefix with one trailing `*`. */
export interface Capabilities {
  readonly servers: readonly string[];
  /** `tool`, `server/tool`, or a pattern of either. */
  readonly tools: readonly string[];
  readonly scopes: readonly string[];
}

export interface Waiver {
  /** Name of the layer (bundle) whose denial is lifted. */
  readonly bundle: string;
  readonly rule: string;
  readonly justification: string;
  /** RFC 3339. */
  readonly expires: string;
  readonly ticket: string | undefined;
  /** What is wrong with it; such a waiver lifts nothing, and what it does not say is `""`. */
  readonly problem?: string | undefined;
}

/** Everything one layer may answer; what its policy does not define is empty. */
export interface LayerOutput {
  readonly allow: readonly RuleMatch[];
  readonly deny: readonly RuleMatch[];
  readonly requireApproval: readonly ApprovalRequest[];
  readonly obligations: readonly Obligation[];
  readonly hide: readonly RuleMatch[];
  readonly dataClasses: readonly string[];
  readonly labels: readonly string[];
  readonly capabilities: Capabilities | undefined;
  /** What the same layer says of each agent that this one is a sub-agent of; all of them count. */
  readonly parentCapabilities?: readonly Capabilities[] | undefined;
  readonly waive: readonly Waiver[];
  readonly warn: readonly RuleMatch[];
}

/** A layer that says nothing. */
export const emptyOutput: LayerOutput = {
  allow: [],
  deny: [],
  requireApproval: [],
  obligations: [],
  hide: [],
  dataClasses: [],
  labels: [],
  capabilities: undefined,
  waive: [],
  warn: [],
};

/** Codes of the gateway itself; no policy may use them and no waiver lifts them. */
export const gatewayCodes = [
  "approval_denied",
  "approval_limit",
  "approval_required",
  "arguments_invalid",
  "audit_unavailable",
  "blocked",
  "hidden_characters",
  "invalid_cost",
  "budget_exhausted",
  "conversation_limit",
  "state_unavailable",
  "malformed_request",
  "no_decision",
  "no_policy",
  "no_rule_allows",
  "not_offered_to_client",
  "outside_capabilities",
  "policy_error",
  "policy_timeout",
  "release_mismatch",
  "result_too_large",
  "result_withheld",
  "schema_unusable",
  "tool_changed",
  "tool_hidden",
  "unknown_obligation",
  "unknown_tool",
  "unsafe_elicitation",
] as const;
export type GatewayCode = (typeof gatewayCodes)[number];

const reservedCodes: ReadonlySet<string> = new Set(gatewayCodes);

/** True for a code of the gateway itself. */
export function isGatewayCode(code: string): boolean {
  return reservedCodes.has(code);
}

/** True for the id of a rule of the gateway itself. */
export function isGatewayRule(rule: string): boolean {
  return rule.startsWith("gateway.");
}

/** A layer's part in one decision: an answer, or the reason why there is none. */
export type LayerVerdict =
  | { readonly ok: true; readonly layer: LayerIdentity; readonly output: LayerOutput }
  | {
      readonly ok: false;
      readonly layer: LayerIdentity;
      readonly code: "policy_error" | "policy_timeout" | "no_decision" | "no_policy";
      /** For the record and the operator's log; never for the client. */
      readonly message: string;
    };

/** The name that rules and people know a layer by: a canary goes by that of its layer. */
export function baseName({ name, canaryOf }: Pick<LayerIdentity, "name" | "canaryOf">): string {
  return canaryOf ?? name;
}

export interface LayerIdentity {
  /** Config name: a server id for the server's bundle, else the layer's `name`. */
  readonly name: string;
  readonly kind: LayerKind;
  readonly revision: string;
  /** `""` where no bundle is active. */
  readonly digest: string;
  /** Its bundle came without the sources of its policy; absent otherwise. */
  readonly opaque?: boolean;
  /** Of a canary: the name of the layer beside which it is asked; absent otherwise. */
  readonly canaryOf?: string | undefined;
}
