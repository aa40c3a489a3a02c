/**
 * Steps 2 to 6 of an action that is for something: what policy says, the approval that it runs on, and
 * the record. The same the second time, when people agreed to what policy held.
 */
import { messageOf } from "../../errors.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import { grantsOf, joinGrants } from "../../policy/approvals/approval-grant.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { HeldAction } from "./await-approval.ts";
import type { Allowed } from "./conclude.ts";
import { confirmDefinition } from "./confirm-definition.ts";
import { giveBack, giveBackAll, toBeClaimed } from "./give-back.ts";
import { withGrant } from "./granted-request.ts";
import { judge } from "./judge.ts";
import { logUnknown } from "./log-unknown.ts";
import { recordAdmission } from "./record-admission.ts";
import { refusal, replyUnknown } from "./refuse.ts";
import { auditUnavailable, deniedOrHeld } from "./replies.ts";

export type Admitted =
  | { readonly ok: true; readonly allowed: Allowed }
  /** What the client gets instead. */
  | {
      readonly ok: false;
      readonly reply: ActionReply;
      /** The client was asked something and will be back: its call stays open upstream. */
      readonly keepsHeldCall?: boolean;
    };

/** What an action came to: an end, or people have to be asked. */
export type Step =
  | { readonly kind: "decided"; readonly admitted: Admitted }
  | ({ readonly kind: "held" } & HeldAction);

/** Decides one action and records it. */
export async function decideAction(parts: GatewayParts, wanted: Allowed): Promise<Step> {
  const { action, target } = wanted;
  const judged = await judge(parts, action, target);
  const confirmed = await confirmDefinition(parts, wanted, judged);
  const isGranted = confirmed.combined.answer.allow && action.approval !== undefined;
  const taking = isGranted ? await takeGrant(parts, wanted) : taken(wanted);
  const decided = taking.ok ? confirmed : refusal(parts, action, target, taking.code);
  const logged = logUnknown(parts, action, decided);
  if (logged !== undefined) await logged;
  const isRecorded = await recordAdmission(parts, action, target, decided);
  if (!isRecorded) {
    if (taking.ok && confirmed.combined.answer.allow) await giveBack(parts, action);
    return refused(auditUnavailable(action));
  }

  const { combined } = decided;
  if (combined.hidden) return refused(await replyUnknown(parts, action));
  if (taking.ok && combined.answer.allow) {
    const { request } = taking.allowed;
    return {
      kind: "decided",
      admitted: { ok: true, allowed: { request, action, target, decided: [decided] } },
    };
  }
  if (combined.holds.length > 0) return { kind: "held", allowed: wanted, combined };
  const isLost = !taking.ok && taking.code === "approval_required";
  if (isLost) return await decideAction(parts, withGrant(parts, wanted, undefined));
  return refused(deniedOrHeld(action, combined));
}

type Taking =
  /** With what the rest of the call runs on. */
  | { readonly ok: true; readonly allowed: Allowed }
  | { readonly ok: false; readonly code: "approval_required" | "state_unavailable" };

/** Of many who try at once one gets the approval; what needs two gets both or none. */
async function takeGrant(parts: GatewayParts, allowed: Allowed): Promise<Taking> {
  const { approval, decisionId } = allowed.action;
  const claimed: ApprovalGrant[] = [];
  const fail = async (code: "approval_required" | "state_unavailable"): Promise<Taking> => {
    await giveBackAll(parts, claimed, decisionId);
    return { ok: false, code };
  };
  try {
    for (const grant of toBeClaimed(approval)) {
      const approvals = await parts.approvals.open();
      const found = await approvals.claim(grant.id, grant.uses, decisionId);
      if (found === undefined) return await fail("approval_required");
      claimed.push(grant);
    }
  } catch (thrown) {
    parts.log.error({ reason: messageOf(thrown) }, "approvals cannot be used");
    return await fail("state_unavailable");
  }
  const grants = grantsOf(approval).map((grant) =>
    grant.isToBeClaimed ? { ...grant, uses: grant.uses + 1, isToBeClaimed: false } : grant,
  );
  return taken(allowed, joinGrants(grants));
}

function taken(allowed: Allowed, approval?: Allowed["request"]["approval"]): Taking {
  const { request } = allowed;
  if (request.approval === approval) return { ok: true, allowed };
  return { ok: true, allowed: { ...allowed, request: { ...request, approval } } };
}

function refused(reply: ActionReply): Step {
  return { kind: "decided", admitted: { ok: false, reply } };
}
