/**
 * Step 4 with counters: what the action costs is reserved, then policy decides and sees how much is
 * used, and what does not fit is denied, whatever policy says. Where policy denies, it is policy that
 * the answer speaks of, so that a hidden tool stays one that does not exist.
 */
import type { InputParts } from "../../contract/policy-input.ts";
import type { CombinedDecision } from "../../policy/combine.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import { exhaustedMessage, tightestOf } from "../../policy/usage/usage-report.ts";
import type { GatewayParts } from "../parts.ts";
import type { UsageStanding } from "../usage/usage.ts";
import type { Action, Decided, Target } from "./action.ts";
import type { DecidingParts } from "./decide.ts";
import { decide } from "./decide.ts";

/** Decides; where other bundles came to decide meanwhile, their counters are asked instead. */
export async function decideCounted(
  parts: DecidingParts & Pick<GatewayParts, "usage">,
  action: Action,
  target: Target,
  input: InputParts,
): Promise<Decided> {
  for (;;) {
    const standing = await parts.usage.reserve(action, target, input);
    const usage = standing.documents;
    const counted = Object.assign({}, input, { usage });
    const decided = await decide(parts, action, target, counted);
    if (parts.usage.isCurrent(standing)) return withStanding(action, decided, standing);
  }
}

function withStanding(action: Action, decided: Decided, standing: UsageStanding): Decided {
  const { counted, refused, observed } = standing;
  if (counted.length === 0 && refused === undefined && observed === undefined) return decided;
  const { combined } = decided;
  const isDenied = combined.hidden || combined.denials.length > 0;
  const judged =
    refused === undefined || isDenied
      ? withObserved(action, combined, observed)
      : gatewayDenial(action.decisionId, refused, messageFor(standing));
  const tightest = tightestOf(counted, judged.answer.allow);
  if (tightest === undefined) return { ...decided, combined: judged };
  const metadata = {
    ...judged.answer.metadata,
    rate_limit_remaining: tightest.remaining,
    rate_limit_resets_at: tightest.resetsAt,
  };
  return { ...decided, combined: { ...judged, answer: { ...judged.answer, metadata } } };
}

/** The record says what an observed counter would have refused; nothing stands in the way. */
function withObserved(
  { decisionId }: Action,
  combined: CombinedDecision,
  observed: UsageStanding["observed"],
): CombinedDecision {
  const { answer } = combined;
  if (observed === undefined || !answer.allow || !answer.enforced) return combined;
  const { effect, reasons, remediation } = gatewayDenial(decisionId, observed).answer;
  return { ...combined, answer: { ...answer, enforced: false, effect, reasons, remediation } };
}

function messageFor({ refused, problem, counted }: UsageStanding): string | undefined {
  return refused === "budget_exhausted" ? exhaustedMessage(counted) : problem;
}
