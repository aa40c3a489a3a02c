/**
 * What an allowed call will bring into the conversation is on disk before the call leaves: its
 * classes, its labels, and `untrusted_content` where nobody labelled it. If it cannot be
 * remembered, the call is denied.
 */
import { messageOf } from "../errors.ts";
import { gatewayDenial } from "../policy/combine.ts";
import { unlabelledResult } from "../policy/input/classify.ts";
import type { Call, Decided, Target } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** Returns the decision, or a denial `state_unavailable` in its place. */
export async function remember(
  parts: GatewayParts,
  call: Call,
  { server }: Target,
  decided: Decided,
): Promise<Decided> {
  if (!decided.combined.answer.allow) return decided;
  const { dataClasses, labels } = decided.brings;
  const brings = { dataClasses, labels: labels.length === 0 ? unlabelledResult : labels };
  try {
    await parts.conversation.absorb(server.id, brings, call.timeMs);
    return decided;
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not written");
    return { ...decided, combined: gatewayDenial(call.decisionId, "state_unavailable") };
  }
}
