/**
 * Step 5: the admission record. It is durable when this resolves with true; nothing leaves and
 * nothing is answered before.
 */
import { postureAt } from "../../config/posture-at.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { maskHints } from "./mask-hints.ts";

/**
 * Writes the record; false where it could not be made durable. `target`: where it names nothing.
 * What was reserved for an action that is not done is given back, and shadows hear of the decision.
 */
export async function recordAdmission(
  parts: GatewayParts,
  action: Action,
  target: Target | undefined,
  decided: Decided,
): Promise<boolean> {
  const isRecorded = await writeAdmission(parts, action, target, decided);
  const { hidden, answer } = decided.combined;
  if (!isRecorded || hidden || !answer.allow) parts.usage.release(action.decisionId);
  if (isRecorded && target !== undefined) parts.shadows.follow({ action, target, decided });
  return isRecorded;
}

async function writeAdmission(
  parts: GatewayParts,
  action: Action,
  target: Target | undefined,
  decided: Decided,
): Promise<boolean> {
  const { config, clock, decisionLog, log } = parts;
  const { principal, decisionId } = action;
  try {
    await decisionLog.admit({
      kind: "admission",
      decisionId,
      timeMs: action.timeMs,
      tenant: principal.tenant,
      agent: principal.agent.id,
      user: principal.user.id,
      server: target?.server.id ?? "",
      tool: target?.tool?.name ?? null,
      exposedName: action.asked,
      actionType: action.type,
      protocolVersion: action.protocolVersion,
      inputJson: decided.inputJson,
      ndBuiltinCacheJson: decided.ndBuiltinCacheJson,
      argsSha256: sha256Of(action.sent["args"] ?? action.sent["message"] ?? "{}"),
      answer: decided.combined.answer,
      layers: decided.verdicts,
      waivers: {
        used: decided.combined.usedWaivers,
        expired: decided.combined.expiredWaivers,
        void: decided.combined.voidWaivers,
      },
      dropped: action.dropped,
      timings: {
        policyMs: decided.policyMs,
        totalMs: clock.monotonicMs() - action.startedMs,
        layerMs: decided.layerMs,
      },
      traceparent: action.traceparent,
      posture: postureAt(config, action.timeMs),
      hints: maskHints(parts, target),
    });
    return true;
  } catch (thrown) {
    log.error(
      { code: codeOf(thrown), reason: messageOf(thrown), decision_id: decisionId },
      "decision not recorded; the request is refused",
    );
    return false;
  }
}
