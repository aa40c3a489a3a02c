/**
 * What an allowed action will bring into the conversation is on disk before it leaves: its classes,
 * its labels, those of its result as far as anybody said them, and `untrusted_content` where nobody
 * did. Errors, progress and tasks carry data too, so none of this waits for a result. If it cannot
 * be remembered, the action is denied.
 */
import { messageOf } from "../../errors.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import { broughtBy } from "../../policy/input/classify.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";

/** Returns the decision, or a denial `state_unavailable` in its place. */
export async function remember(
  parts: GatewayParts,
  action: Action,
  { server, tool }: Target,
  decided: Decided,
): Promise<Decided> {
  if (!decided.combined.answer.allow) return decided;
  const brings = broughtBy(decided.brings, tool && server.tools.get(tool.name));
  try {
    const conversation = parts.conversations.of(action.principal);
    await conversation.absorb(server.id, brings, action.timeMs);
    return decided;
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not written");
    const message = "Not reached: what this conversation has seen.";
    return { ...decided, combined: gatewayDenial(action.decisionId, "state_unavailable", message) };
  }
}
