/**
 * Says to the operator what is wrong with the obligations that denied an action: the agent is not told.
 */
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided } from "./action.ts";
import { obligationsOf, openDuties } from "./open-duties.ts";

/** One line for each obligation that cannot be carried out. */
export function logUnknown(
  parts: Pick<GatewayParts, "config" | "log">,
  action: Action,
  decided: Pick<Decided, "combined" | "verdicts">,
): Promise<void> | undefined {
  const isUnknown = decided.combined.answer.reasons.includes("unknown_obligation");
  return isUnknown ? logEach(parts, action, decided) : undefined;
}

async function logEach(
  { config, log }: Pick<GatewayParts, "config" | "log">,
  { type, decisionId }: Action,
  { verdicts }: Pick<Decided, "verdicts">,
): Promise<void> {
  const duties = await openDuties(config, verdicts);
  for (const obligation of obligationsOf(verdicts)) {
    const problem = duties.problemOf(type, obligation);
    const about = { obligation: obligation.id, problem, decision_id: decisionId };
    if (problem !== undefined) log.warn(about, "an obligation cannot be carried out");
  }
}
