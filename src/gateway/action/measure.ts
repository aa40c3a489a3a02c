/**
 * Step 3: the facts of the moment, and the input document made of them.
 */
import type { GatewayCode } from "../../contract/layer.ts";
import type { InputParts } from "../../contract/policy-input.ts";
import { messageOf } from "../../errors.ts";
import { approvalInput } from "../../policy/approvals/approval-grant.ts";
import { buildCallInput } from "../../policy/input/build-input.ts";
import type { Classification } from "../../policy/input/classify.ts";
import type { MeasuredFacts } from "../../policy/input/conversation.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Target } from "./action.ts";

/** Why there are no facts. */
export type MeasureProblem = Extract<GatewayCode, "state_unavailable" | "conversation_limit">;

/** Counts the action in its conversation and builds its input; a code where that cannot be. */
export async function measure(
  parts: GatewayParts,
  action: Action,
  target: Target,
  classification: Classification,
): Promise<InputParts | MeasureProblem> {
  let context: MeasuredFacts;
  try {
    const conversation = parts.conversations.of(action.principal);
    if (!(await conversation.refresh(action.timeMs))) return "conversation_limit";
    context = conversation.measure(target.server.id, bytesOf(action.sent), action.timeMs);
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not read");
    return "state_unavailable";
  }
  const { agent, user } = action.principal;
  return buildCallInput({
    actor: { agent, user, environment: parts.config.environment },
    client: action.claim,
    action: target.action,
    sent: action.sent,
    approval: action.approval && approvalInput(action.approval),
    classification,
    context: context.everyone,
    serverContext: context.own,
    timeMs: action.timeMs,
  });
}

function bytesOf(sent: Action["sent"]): number {
  return Object.values(sent).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
