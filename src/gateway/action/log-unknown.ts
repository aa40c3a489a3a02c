/**
 * Says to the operator what is wrong with the obligations that denied an action: the agent is not told.
 */
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided } from "./action.ts";
import { obligationsOf, openDuties } from "./open-duties.ts";

/** One line for each obligation that cannot be carried out. */
export async function logUnknown(
  { config, log }: Pick<GatewayParts, "config" | "log">,
  { type, decisionId }: Action,
  { combined, verdicts }: Pick<Decided, "combined" | "verdicts">,
): Promise<void> {
  if (!combined.answer.reasons.includes("unknown_obligation")) return;
  const duties = await openDuties(config, verdicts);
  for (const obligation of obligationsOf(verdicts)) {
    const problem = duties.problemOf(type, obligation);
    const about = { obligation: obligation.id, problem, decision_id: decisionId };
    if (problem !== undefined) log.warn(about, "an obligation cannot be carried out");
  }
}
