/**
 * The first of the conflict rules: what hides an action, for calls and for lists alike.
 */
import type { LayerVerdict, RuleMatch } from "../../contract/layer.ts";
import type { CapabilitySubject } from "./capabilities.ts";
import { outsideCapabilities } from "./capabilities.ts";
import type { FromLayer } from "./combined-decision.ts";
import { hidesOf } from "./denials.ts";

/** True where a rule hides the action or it is outside the agent's capabilities. */
export function isHidden(verdicts: readonly LayerVerdict[], subject: CapabilitySubject): boolean {
  return hidingOf(verdicts, subject).length > 0;
}

/** The rules that hide the action, then each denial for being outside the agent's capabilities. */
export function hidingOf(
  verdicts: readonly LayerVerdict[],
  subject: CapabilitySubject,
): readonly FromLayer<RuleMatch>[] {
  return [...hidesOf(verdicts), ...outsideCapabilities(verdicts, subject)];
}
