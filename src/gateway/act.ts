/**
 * The life of one decided request. Nothing reaches an upstream before its allow decision is durable,
 * and what leaves is what policy judged. Each step is a file in `action/`; the failures of each are
 * its answers, never exceptions.
 */
import { beginAction } from "./action/begin-action.ts";
import type { ForwardReply } from "./action/conclude.ts";
import { abandonHeld } from "./action/continuation.ts";
import { confirmDefinition } from "./action/confirm-definition.ts";
import { forward } from "./action/forward.ts";
import { judge } from "./action/judge.ts";
import { recordAdmission } from "./action/record-admission.ts";
import { refuseUnknown } from "./action/refuse.ts";
import { auditUnavailable, deniedOrHeld, unknown } from "./action/replies.ts";
import { resolve } from "./action/resolve.ts";
import type { ActionReply, ActionRequest } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";

/** Does what a client asked for; a retry that its server wants is decided like a new request. */
export async function act(parts: GatewayParts, request: ActionRequest): Promise<ActionReply> {
  let reply = await actOnce(parts, request);
  while (reply.kind === "again") reply = await actOnce(parts, reply.request);
  return reply;
}

/** Decides, records and, where allowed, does what a client asked for. */
async function actOnce(parts: GatewayParts, request: ActionRequest): Promise<ForwardReply> {
  const action = beginAction(parts, request);
  await parts.policiesReady;

  const target = await resolve(parts, request);
  if (target === undefined) return await refuseUnknown(parts, action);

  const judged = await judge(parts, action, target);
  const decided = await confirmDefinition(parts, { request, action, target }, judged);
  const isRecorded = await recordAdmission(parts, action, target, decided);
  if (!isRecorded) return auditUnavailable(action);

  if (!decided.combined.answer.allow) abandonHeld(parts, { request, target });
  if (decided.combined.hidden) return unknown(action);
  if (!decided.combined.answer.allow) return deniedOrHeld(action, decided.combined);

  return await forward(parts, { request, action, target });
}
