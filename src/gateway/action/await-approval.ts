/**
 * An action that policy holds waits here for people: until they agree, until they do not, or until its
 * client should hear something. What they agreed to is decided again before it leaves, so that a
 * denial meanwhile still denies, and is then taken, so that of many who try at once one runs.
 */
import type { CombinedDecision } from "../../policy/combine.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import type { Approval } from "../../policy/approvals/approval.ts";
import { grantOf } from "../../policy/approvals/approval-grant.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import type { Opened } from "../../policy/approvals/approval-store.ts";
import type { Approvals } from "../../policy/approvals/approvals.ts";
import { messageOf } from "../../errors.ts";
import type { GatewayCode } from "../../contract/layer.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import { approvedUseOf } from "./approved-use.ts";
import { askApprover, mayAskClient, passApprovalQuestion } from "./ask-approver.ts";
import { stampAction } from "./begin-action.ts";
import type { Allowed } from "./conclude.ts";
import { maskHints } from "./mask-hints.ts";
import { recordAdmission } from "./record-admission.ts";
import { refusal } from "./refuse.ts";
import { auditUnavailable, deniedOrHeld, heldForApproval } from "./replies.ts";
import { tellWaiting } from "./tell-waiting.ts";

/** An action that waits for people, already on record as held. */
export interface HeldAction {
  readonly allowed: Allowed;
  readonly combined: CombinedDecision;
}

/** What waiting came to. */
export type Awaited =
  /** To be decided again. */
  | { readonly kind: "granted"; readonly grant: ApprovalGrant }
  /** Somebody else used what was granted: the action asks anew. */
  | { readonly kind: "used" }
  | { readonly kind: "reply"; readonly reply: ActionReply; readonly keepsHeldCall: boolean };

/** Asks people and waits. `patience` ends with the time that a client should wait. */
export async function awaitApproval(
  parts: GatewayParts,
  held: HeldAction,
  patience: AbortSignal,
  wasAsked: boolean,
): Promise<Awaited> {
  const { request } = held.allowed;
  try {
    const approvals = await parts.approvals.open();
    const opened = await approvals.request(subjectOf(parts, held));
    if (opened.kind === "too_many") return await refuse(parts, held, "approval_limit");
    const { approval } = opened;
    if (approval.status !== "pending") return await concludeWith(parts, held, approval);
    const argumentsJson = (await approvals.argumentsOf(approval.id)) ?? "{}";
    if (!wasAsked && mayAskClient(request, approval)) {
      const question = passApprovalQuestion(parts, request, approval, argumentsJson);
      if (question !== undefined) return replying(question, true);
    }
    return await waitFor(parts, held, opened, argumentsJson, patience);
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "approvals cannot be used");
    return await refuse(parts, held, "state_unavailable", "Not reached: the store of approvals.");
  }
}

async function waitFor(
  parts: GatewayParts,
  held: HeldAction,
  { approval }: Extract<Opened, { readonly approval: Approval }>,
  argumentsJson: string,
  patience: AbortSignal,
): Promise<Awaited> {
  const { request } = held.allowed;
  const approvals = await parts.approvals.open();
  const course = new AbortController();
  const waiting = AbortSignal.any([request.signal, patience]);
  const stopTelling = tellWaiting(parts, request, approval);
  if (mayAskClient(request, approval)) {
    const until = AbortSignal.any([waiting, course.signal]);
    void askApprover(parts, request, approval, argumentsJson, until);
  }
  const settled = await approvals.settled(approval.id, waiting);
  stopTelling();
  course.abort();
  if (settled !== undefined) return await concludeWith(parts, held, settled);
  if (!request.signal.aborted) return replying(heldForApproval(held, approval));
  await takeBack(parts, approvals, approval);
  return replying({ kind: "cancelled" });
}

async function concludeWith(
  parts: GatewayParts,
  held: HeldAction,
  approval: Approval,
): Promise<Awaited> {
  switch (approval.status) {
    case "approved":
      return { kind: "granted", grant: grantOf(approval, true) };
    case "used":
      return { kind: "used" };
    case "denied": {
      const reason = approval.denied?.reason ?? null;
      const said = reason === null ? undefined : `They said: ${reason}`;
      return await refuse(parts, held, "approval_denied", said);
    }
    case "pending":
    case "expired":
    case "withdrawn":
      return replying(heldForApproval(held, approval));
  }
}

/** Whoever asked is gone: nobody has to look at it any more. */
async function takeBack(parts: GatewayParts, approvals: Approvals, { id }: Approval) {
  try {
    await approvals.withdraw(id);
  } catch (thrown) {
    parts.log.warn({ approval: id, reason: messageOf(thrown) }, "approval not withdrawn");
  }
}

/** A second decision, with a record of its own. */
async function refuse(
  parts: GatewayParts,
  { allowed }: HeldAction,
  code: GatewayCode,
  message?: string,
): Promise<Awaited> {
  const action = { ...allowed.action, ...stampAction(parts) };
  const refused = refusal(parts, action, allowed.target, code);
  const combined = gatewayDenial(action.decisionId, code, message);
  const decided = { ...refused, combined };
  const isRecorded = await recordAdmission(parts, action, allowed.target, decided);
  return replying(isRecorded ? deniedOrHeld(action, combined) : auditUnavailable(action));
}

function replying(reply: ActionReply, keepsHeldCall = false): Awaited {
  return { kind: "reply", reply, keepsHeldCall };
}

function subjectOf(parts: GatewayParts, { allowed: { action, target }, combined }: HeldAction) {
  return {
    ...approvedUseOf({ action, target }),
    principal: action.principal,
    name: target.name,
    exposedName: action.asked,
    sent: action.sent,
    decisionId: action.decisionId,
    asked: combined.holds,
    hints: maskHints(parts, target),
  };
}
