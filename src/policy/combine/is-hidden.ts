/**
 * The first of the conflict rules on its own, for lists: the same two checks that `combine` begins
 * with.
 */
import type { LayerVerdict } from "../../contract/layer.ts";
import type { CapabilitySubject } from "./capabilities.ts";
import { outsideCapabilities } from "./capabilities.ts";
import { hidesOf } from "./denials.ts";

/** True where a rule hides the action or it is outside the agent's capabilities. */
export function isHidden(verdicts: readonly LayerVerdict[], subject: CapabilitySubject): boolean {
  return hidesOf(verdicts).length > 0 || outsideCapabilities(verdicts, subject).length > 0;
}
