/**
 * Step 3: the facts of the moment, and the input document made of them.
 */
import type { InputParts } from "../../contract/policy-input.ts";
import { messageOf } from "../../errors.ts";
import { buildCallInput } from "../../policy/input/build-input.ts";
import type { Classification } from "../../policy/input/classify.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Target } from "./action.ts";

/** Counts the action in its conversation and builds its input; `undefined` where that is unreadable. */
export function measure(
  parts: GatewayParts,
  action: Action,
  target: Target,
  classification: Classification,
): InputParts | undefined {
  const context = readContext(parts, action, target.server.id);
  if (context === undefined) return undefined;
  const { agent, user } = action.principal;
  return buildCallInput({
    actor: { agent, user, environment: parts.config.environment },
    client: action.claim,
    action: target.action,
    sent: action.sent,
    classification,
    context: context.everyone,
    serverContext: context.own,
    timeMs: action.timeMs,
  });
}

function readContext(parts: GatewayParts, action: Action, server: string) {
  const sentBytes = Object.values(action.sent).reduce((sum, text) => sum + text.length, 0);
  try {
    return parts.conversations.of(action.principal).measure(server, sentBytes, action.timeMs);
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "conversation state not read");
    return undefined;
  }
}
