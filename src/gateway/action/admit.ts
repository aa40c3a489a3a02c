/**
 * Steps 1 to 6 of an action: what it is for, what policy says, and the record of that. Whatever a
 * client sends on, a retry and an answer in the middle of a call included, comes through here first.
 */
import { grantsOf, joinGrants } from "../../policy/approvals/approval-grant.ts";
import type { ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import { readArrival } from "./ask-approver.ts";
import type { HeldAction } from "./await-approval.ts";
import { awaitApproval } from "./await-approval.ts";
import { beginAction } from "./begin-action.ts";
import type { Admitted } from "./decide-action.ts";
import { decideAction } from "./decide-action.ts";
import { grantOfRetry, withGrant } from "./granted-request.ts";
import { refuseUnknown } from "./refuse.ts";
import { resolve } from "./resolve.ts";

export type { Admitted };

/** Decides and records; what is allowed is on record when this resolves. */
export async function admit(parts: GatewayParts, asked: ActionRequest): Promise<Admitted> {
  const mayGoOn = asked.requestState !== undefined;
  const arrival = mayGoOn ? await readArrival(parts, asked) : undefined;
  const { request, wasAsked } = arrival ?? { request: asked, wasAsked: false };
  const action = beginAction(parts, request);
  await parts.policiesReady;

  const target = await resolve(parts, request);
  if (target === undefined) return { ok: false, reply: await refuseUnknown(parts, action) };

  const mayBeApproved = request.approval !== undefined || request.requestState !== undefined;
  const approval = mayBeApproved
    ? await grantOfRetry(parts, { request, action, target })
    : undefined;
  const asking = approval === undefined ? action : { ...action, approval };
  const first = await decideAction(parts, { request, action: asking, target });
  return first.kind === "held" ? await hold(parts, first, wasAsked) : first.admitted;
}

/** Waits for people, and decides again what they agreed to. */
async function hold(parts: GatewayParts, first: HeldAction, wasAsked: boolean): Promise<Admitted> {
  const patience = AbortSignal.timeout(parts.config.approvals.waitMs);
  let held = first;
  for (;;) {
    const awaited = await awaitApproval(parts, held, patience, wasAsked);
    if (awaited.kind === "reply") return { ok: false, ...awaited };
    // Somebody else was quicker to use it: the action asks for itself.
    if (awaited.kind === "used") continue;
    const grant = joinGrants([awaited.grant, ...grantsOf(held.allowed.action.approval)]);
    const next = await decideAction(parts, withGrant(parts, held.allowed, grant));
    if (next.kind !== "held") return next.admitted;
    held = next;
  }
}
