/**
 * An approval that an action took and then did not use: no byte left, so what people agreed to did not
 * happen, and the same call may run on it after all. Where a byte may have left it stays used.
 */
import { grantsOf } from "../../policy/approvals/approval-grant.ts";
import type { ApprovalGrant } from "../../policy/approvals/approval-grant.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action } from "./action.ts";

/** Resolves when it is given back, or cannot be now; never rejects. */
export async function giveBack(
  parts: Pick<GatewayParts, "approvals">,
  { approval, decisionId }: Action,
): Promise<void> {
  // What a call took before stays with the call.
  await giveBackAll(parts, toBeClaimed(approval), decisionId);
}

/** The same for some of what an action took. */
export async function giveBackAll(
  parts: Pick<GatewayParts, "approvals">,
  grants: readonly ApprovalGrant[],
  decisionId: string,
): Promise<void> {
  for (const { id, uses } of grants) {
    const approvals = await parts.approvals.open();
    await approvals.giveBack(id, { uses, decisionId });
  }
}

/** Those that a request takes for itself. */
export function toBeClaimed(approval: ApprovalGrant | undefined): readonly ApprovalGrant[] {
  return grantsOf(approval).filter(({ isToBeClaimed }) => isToBeClaimed);
}
