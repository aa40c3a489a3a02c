/**
 * What an allowed action will bring into the conversation is on disk before it leaves: its classes,
 * its labels, and `untrusted_content` where nobody labelled it. If it cannot be remembered, the
 * action is denied.
 */
import { messageOf } from "../../errors.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import { unlabelledResult } from "../../policy/input/classify.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";

/** Returns the decision, or a denial `state_unavailable` in its place. */
export async function remember(
  parts: GatewayParts,
  action: Action,
  { server }: Target,
  decided: Decided,
): Promise<Decided> {
  if (!decided.combined.answer.allow) return decided;
  const { dataClasses, labels } = decided.brings;
  const brings = { dataClasses, labels: labels.length === 0 ? unlabelledResult : labels };
  try {
    const conversation = parts.conversations.of(action.principal);
    await conversation.absorb(server.id, brings, action.timeMs);
    return decided;
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not written");
    return { ...decided, combined: gatewayDenial(action.decisionId, "state_unavailable") };
  }
}
