/**
 * The record of a decision that a shadow would have made otherwise. It belongs to that decision and
 * changes nothing about it.
 */
import type { Effect } from "./answer.ts";
import type { LayerKind } from "./bundle.ts";

/**
 * The first of these that fits: the effect is another, its reasons are, what is to be done with the
 * result is, what the call brings into the conversation is, it took long, or it gave no answer.
 */
export type ShadowDifference =
  | "newly_denied"
  | "newly_allowed"
  | "now_held"
  | "no_longer_held"
  | "reason_only"
  | "obligations_only"
  | "labels_only"
  /** The same answer, after more than half of the deadline. */
  | "slower"
  /** The shadow threw, ran past the deadline or answered in no known shape. */
  | "error";

/** An answer as far as two are compared. */
export interface ComparedAnswer {
  readonly effect: Effect;
  /** False where a layer in `observe` said so. */
  readonly enforced: boolean;
  readonly reasons: readonly string[];
  readonly matchedRules: readonly string[];
  /** All layers together. */
  readonly policyMs: number;
}

/** Written after the decision that it is about; neither arguments nor results are in it. */
export interface ShadowRecord {
  readonly kind: "shadow";
  /** UUIDv7 of its own. */
  readonly decisionId: string;
  readonly timeMs: number;
  readonly tenant: string;
  /** The decision as it was made. */
  readonly forDecisionId: string;
  readonly server: string;
  readonly tool: string | null;
  readonly agent: string;
  readonly user: string;
  /** Server id or layer name, whose policy the shadow was put in the place of. */
  readonly layer: string;
  readonly layerKind: LayerKind;
  /** Of the shadow. */
  readonly revision: string;
  readonly digest: string;
  readonly difference: ShadowDifference;
  /** Of an error. */
  readonly code: string | null;
  /** What was decided. */
  readonly was: ComparedAnswer;
  /** What would have been. */
  readonly would: ComparedAnswer;
}
