/**
 * The approval that a request comes with, because the call that it belongs to has it: a retry that the
 * server wants runs on what people agreed to for the call, as long as the tool is still described as it
 * was then. Each exchange takes it for itself, so that one answer of a client is one request to the
 * server, however often it is sent.
 */
import { messageOf } from "../../errors.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import { grantOf, isGoodFor, joinGrants } from "../../policy/approvals/approval-grant.ts";
import type { GatewayParts } from "../parts.ts";
import { approvedUseOf } from "./approved-use.ts";
import { beginAction } from "./begin-action.ts";
import type { Allowed } from "./conclude.ts";
import { readApprovalUse } from "./continuation.ts";

/** The grant of a request that continues an approved call; `undefined` for every other one. */
export async function grantOfRetry(
  parts: GatewayParts,
  allowed: Allowed,
): Promise<ApprovalGrant | undefined> {
  const grant = await findGrant(parts, allowed);
  if (grant === undefined || isGoodFor(grant, approvedUseOf(allowed))) return grant;
  // Between the call and its retry the server moved, or the tool was pinned anew.
  parts.log.warn({ approval: grant.id }, "approval of a retry is for another definition");
  return undefined;
}

async function findGrant(
  parts: GatewayParts,
  { request, target }: Allowed,
): Promise<ApprovalGrant | undefined> {
  if (request.approval !== undefined) return request.approval;
  const found = readApprovalUse(parts, { request, target });
  if (found === undefined || found.kind === "held") return found?.grant;
  try {
    const approvals = await parts.approvals.open();
    const grants: ApprovalGrant[] = [];
    for (const { id, uses } of found.uses) {
      const approval = await approvals.get(id);
      if (approval.uses !== uses) return undefined;
      grants.push(grantOf(approval, true));
    }
    return joinGrants(grants);
  } catch (thrown) {
    const reason = messageOf(thrown);
    const ids = found.uses.map(({ id }) => id);
    parts.log.warn({ approvals: ids, reason }, "approval of a retry cannot be read");
    return undefined;
  }
}

/** The same request, to be decided anew, with what people agreed to. */
export function withGrant(
  parts: GatewayParts,
  { request, target }: Allowed,
  approval: ApprovalGrant | undefined,
): Allowed {
  return { request, target, action: { ...beginAction(parts, request), approval } };
}
