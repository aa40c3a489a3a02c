/**
 * What combining takes and what it makes.
 */
import type { DecisionAnswer } from "../../contract/answer.ts";
import type {
  ApprovalRequest,
  LayerIdentity,
  LayerVerdict,
  Obligation,
  RuleMatch,
  Waiver,
} from "../../contract/layer.ts";

/** What one layer contributed, with the layer that said it. */
export interface FromLayer<Part> {
  readonly layer: LayerIdentity;
  readonly match: Part;
}

export interface CombineRequest {
  readonly decisionId: string;
  readonly action: {
    /** `tool_call`, or another action type of the input document. */
    readonly type: string;
    readonly server: string;
    /** Exact upstream name of the tool, or of what else the action names. */
    readonly tool: string;
  };
  /** The agent's scope; a missing one is only in capabilities that say `*`. */
  readonly scope: string | null;
  /** One per layer that was to be asked, in config order; a failed layer is among them. */
  readonly verdicts: readonly LayerVerdict[];
  readonly nowMs: number;
  /** `servers.NAME.ceiling`: tool patterns outside of which no grant counts. */
  readonly serverCeiling: readonly string[] | undefined;
  /** True where a person has agreed to exactly this request of exactly this layer. */
  readonly isApproved: (layer: LayerIdentity, request: ApprovalRequest) => boolean;
  /** True for an obligation that the gateway can carry out; any other is a denial. */
  readonly canFulfil: (obligation: Obligation) => boolean;
  /** Waivers in force that count at most; those beyond lift nothing. Not said: all count. */
  readonly maxWaivers?: number | undefined;
  /** True for a layer that the operator only watches: its own denials and holds are not enforced. */
  readonly isObserved?: ((layer: LayerIdentity) => boolean) | undefined;
}

export interface CombinedDecision {
  /** The action answers like one that does not exist; recorded as a denial all the same. */
  readonly hidden: boolean;
  /** `allow` is what happens; `effect` is what the layers said, which differs where one is observed. */
  readonly answer: DecisionAnswer;
  /** What refuses, first by layer order, then by code; empty unless a denial is enforced. */
  readonly denials: readonly FromLayer<RuleMatch>[];
  /** What waits for a person; empty unless a hold is enforced. */
  readonly holds: readonly FromLayer<ApprovalRequest>[];
  /** Waivers without which the answer would have been a denial of their rule. */
  readonly usedWaivers: readonly Waiver[];
  /** Waivers that name a standing denial and would lift it, had they not run out. */
  readonly expiredWaivers: readonly Waiver[];
  /** Waivers that lift nothing for what is wrong with them: `problem` says it. */
  readonly voidWaivers: readonly Waiver[];
}
