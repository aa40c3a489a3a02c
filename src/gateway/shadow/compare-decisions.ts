/**
 * Two decisions on the same input, one that was made and one that would have been, and what the
 * difference between them is called. Pure.
 */
import type { Effect } from "../../contract/answer.ts";
import type { LayerVerdict } from "../../contract/layer.ts";
import type { ComparedAnswer, ShadowDifference } from "../../contract/shadow-record.ts";
import type { Decided } from "../action/action.ts";
import { obligationsOf } from "../action/open-duties.ts";

/** What is looked at of a decision. */
export type ComparedDecision = Pick<Decided, "combined" | "verdicts" | "brings" | "policyMs">;

export interface Comparison {
  /** `undefined`: there is none. */
  readonly difference: ShadowDifference | undefined;
  /** Of an error of the shadow itself. */
  readonly code: string | null;
  readonly was: ComparedAnswer;
  readonly would: ComparedAnswer;
}

export interface CompareRequest {
  /** Server id or layer name whose policy the shadow was put in the place of. */
  readonly layer: string;
  readonly was: ComparedDecision;
  readonly would: ComparedDecision;
  /** Of one whole decision. */
  readonly deadlineMs: number;
}

/** Says what is otherwise, the weightiest thing first. */
export function compareDecisions(request: CompareRequest): Comparison {
  const { was, would, layer } = request;
  const failed = failureOf(layer, would.verdicts);
  return {
    difference: failed === undefined ? differenceOf(request) : "error",
    code: failed ?? null,
    was: comparedAnswer(was),
    would: comparedAnswer(would),
  };
}

function failureOf(name: string, verdicts: readonly LayerVerdict[]): string | undefined {
  const found = verdicts.find(({ layer }) => layer.name === name);
  return found?.ok === false ? found.code : undefined;
}

function differenceOf({ was, would, deadlineMs }: CompareRequest): ShadowDifference | undefined {
  const effect = effectDifference(was.combined.answer.effect, would.combined.answer.effect);
  if (effect !== undefined) return effect;
  if (reasonsOf(was) !== reasonsOf(would)) return "reason_only";
  if (dutiesOf(was) !== dutiesOf(would)) return "obligations_only";
  if (bringsOf(was) !== bringsOf(would)) return "labels_only";
  const limitMs = deadlineMs / 2;
  return would.policyMs > limitMs && was.policyMs <= limitMs ? "slower" : undefined;
}

/** `effect` is what the layers said, enforced or not: an observed layer has a shadow all the same. */
function effectDifference(was: Effect, would: Effect): ShadowDifference | undefined {
  if (was === would) return undefined;
  switch (would) {
    case "deny":
      return "newly_denied";
    case "hold":
      return "now_held";
    case "allow":
      return was === "hold" ? "no_longer_held" : "newly_allowed";
  }
}

function reasonsOf({ combined: { answer, holds, hidden } }: ComparedDecision): string {
  const { reasons, metadata } = answer;
  const held = holds.map(({ layer, match }) => [layer.name, match]);
  return JSON.stringify([hidden, reasons, metadata.matched_rules, held]);
}

/** Only what is allowed or held has a result with which something is done. */
function dutiesOf({ combined: { answer }, verdicts }: ComparedDecision): string {
  if (answer.effect === "deny") return "";
  return inOrder(obligationsOf(verdicts));
}

/** What is denied brings nothing. */
function bringsOf({ combined: { answer }, brings }: ComparedDecision): string {
  if (answer.effect === "deny") return "";
  return JSON.stringify([inOrder(brings.dataClasses), inOrder(brings.labels)]);
}

/** Sets have no order. */
function inOrder(members: readonly unknown[]): string {
  return members
    .map((member) => JSON.stringify(member))
    .toSorted()
    .join();
}

function comparedAnswer({ combined: { answer }, policyMs }: ComparedDecision): ComparedAnswer {
  const { effect, enforced, reasons, metadata } = answer;
  return { effect, enforced, reasons, matchedRules: metadata.matched_rules, policyMs };
}
