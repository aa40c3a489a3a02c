/**
 * What the difference between the answer that was given and the one that would be is called.
 */
import { canonicalJson } from "../contract/canonical-json.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import { obligationsOf } from "../gateway/action/open-duties.ts";
import type { CombinedDecision } from "../policy/combine.ts";
import type { RecordedAnswer } from "./recorded-decision.ts";
import type { ReplayChange } from "./replay-tally.ts";

/** An answer with what it was made of. */
export interface ComparedDecision {
  readonly answer: RecordedAnswer;
  readonly verdicts: readonly LayerVerdict[];
}

/** The answer as a record has it. */
export function answerOf({ answer }: CombinedDecision): RecordedAnswer {
  const { allow, effect, enforced, reasons, metadata } = answer;
  return { allow, effect, enforced, reasons, matchedRules: metadata.matched_rules };
}

/** True for the same effect for the same reasons. */
export function isSameAnswer(left: RecordedAnswer, right: RecordedAnswer): boolean {
  return (
    left.allow === right.allow &&
    left.effect === right.effect &&
    left.enforced === right.enforced &&
    left.reasons.join("\n") === right.reasons.join("\n")
  );
}

/** Says what is otherwise, the weightiest thing first; `undefined` where nothing is. */
export function differenceOf(
  was: ComparedDecision,
  would: ComparedDecision,
): ReplayChange | undefined {
  const effect =
    effectDifference(happens(was.answer), happens(would.answer)) ??
    effectDifference(was.answer.effect, would.answer.effect);
  if (effect !== undefined) {
    const isFreed = effect === "newly_allowed" || effect === "no_longer_held";
    return { bucket: effect, ...firstOf(isFreed ? was.answer : would.answer) };
  }
  // Before the reasons: another reason must not hide that a result is no longer changed.
  if (happens(would.answer) !== "deny" && dutiesOf(was) !== dutiesOf(would)) {
    return { bucket: "obligations_only", rule: null, reason: null };
  }
  if (reasonsOf(was) === reasonsOf(would)) return undefined;
  return { bucket: "reason_only", ...firstOf(would.answer) };
}

/** What happens, whatever was said: where a layer is observed these differ. */
function happens({ allow, effect }: RecordedAnswer): string {
  return allow ? "allow" : effect;
}

function effectDifference(was: string, would: string): ReplayChange["bucket"] | undefined {
  if (was === would) return undefined;
  if (would === "deny") return "newly_denied";
  if (would === "hold") return "now_held";
  return was === "hold" ? "no_longer_held" : "newly_allowed";
}

function firstOf({ reasons, matchedRules }: RecordedAnswer): Pick<ReplayChange, "rule" | "reason"> {
  return { rule: matchedRules[0] ?? null, reason: reasons[0] ?? null };
}

/** With what a hold asks of people. */
function reasonsOf({ answer, verdicts }: ComparedDecision): string {
  const { effect, reasons, matchedRules } = answer;
  const asked = verdicts.flatMap(({ layer, ...verdict }) =>
    effect === "hold" && verdict.ok ? [[layer.name, verdict.output.requireApproval]] : [],
  );
  return canonicalJson([reasons, matchedRules, asked]);
}

/** Sets have no order. */
function dutiesOf({ verdicts }: ComparedDecision): string {
  return obligationsOf(verdicts)
    .map((obligation) => canonicalJson(obligation))
    .toSorted()
    .join();
}
