/**
 * The life of one tool call. Nothing reaches an upstream before its allow decision is durable, and
 * the arguments that leave are the bytes that policy judged. Each step is a file; the failures of
 * each are its answers, never exceptions.
 */
import { classify } from "../policy/input/classify.ts";
import type { Call } from "./call.ts";
import { decide } from "./decide.ts";
import { forward } from "./forward.ts";
import type { CallReply, CallRequest } from "./gateway.ts";
import { measure } from "./measure.ts";
import type { GatewayParts } from "./parts.ts";
import { recordAdmission } from "./record-admission.ts";
import { refuseUnknown, refuseWithoutState } from "./refuse.ts";
import { remember } from "./remember.ts";
import { auditUnavailable, deniedOrHeld, unknownTool } from "./replies.ts";
import { resolve } from "./resolve.ts";

/** Decides, records and, where allowed, makes one call. */
export async function callTool(parts: GatewayParts, request: CallRequest): Promise<CallReply> {
  const call = begin(parts, request);
  await parts.policiesReady;

  const target = await resolve(parts, request.exposedName);
  if (target === undefined) return await refuseUnknown(parts, call);

  const classification = classify(target.server.tools.get(target.tool.name));
  const input = measure(parts, call, target, classification);
  if (input === undefined) return await refuseWithoutState(parts, call, target);
  const decided = await remember(parts, call, target, await decide(parts, call, target, input));

  const isRecorded = await recordAdmission(parts, call, target.tool, decided);
  if (!isRecorded) return auditUnavailable(call);

  if (decided.combined.hidden) return unknownTool(request.exposedName);
  if (!decided.combined.answer.allow) return deniedOrHeld(decided.combined);

  return await forward(parts, call, target);
}

function begin(parts: GatewayParts, request: CallRequest): Call {
  return {
    request,
    decisionId: parts.newId(),
    timeMs: parts.clock.nowMs(),
    startedMs: parts.clock.monotonicMs(),
  };
}
