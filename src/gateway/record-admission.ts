/**
 * Step 5: the admission record. It is durable when this resolves with true; nothing leaves and
 * nothing is answered before.
 */
import { sha256Of } from "../contract/sha256.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { Call, Decided } from "./call.ts";
import type { GatewayParts } from "./parts.ts";

/** Who the call is for; both `null` or `""` where it named no tool that exists. */
export interface Addressee {
  readonly server: string;
  readonly name: string | null;
}

/** Writes the record; false where it could not be made durable. */
export async function recordAdmission(
  parts: GatewayParts,
  call: Call,
  addressee: Addressee,
  decided: Decided,
): Promise<boolean> {
  const { config, clock, decisionLog, log } = parts;
  const { request } = call;
  try {
    await decisionLog.admit({
      kind: "admission",
      decisionId: call.decisionId,
      timeMs: call.timeMs,
      tenant: config.tenant,
      agent: config.agent.id,
      user: config.user.id,
      server: addressee.server,
      tool: addressee.name,
      exposedName: request.exposedName,
      actionType: "tool_call",
      protocolVersion: request.protocolVersion,
      inputJson: decided.inputJson,
      argsSha256: sha256Of(request.argumentsJson),
      answer: decided.combined.answer,
      layers: decided.verdicts,
      waivers: { used: decided.combined.usedWaivers, expired: decided.combined.expiredWaivers },
      dropped: request.dropped,
      timings: { policyMs: decided.policyMs, totalMs: clock.monotonicMs() - call.startedMs },
      posture: config.posture,
    });
    return true;
  } catch (thrown) {
    log.error(
      { code: codeOf(thrown), reason: messageOf(thrown), decision_id: call.decisionId },
      "decision not recorded; the call is refused",
    );
    return false;
  }
}
