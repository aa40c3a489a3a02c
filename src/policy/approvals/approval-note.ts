/**
 * One step in the life of an approval, as the decision log keeps it.
 */
import type { ApprovalRecord } from "../../contract/record.ts";
import type { Approval, ApprovalVoice } from "./approval.ts";

export type ApprovalEvent = ApprovalRecord["event"];

/** Whose word a step is; `undefined` where nobody acted. */
export type SaidBy = Pick<ApprovalVoice, "by" | "channel" | "reason"> | undefined;

export interface ApprovalStep {
  readonly event: ApprovalEvent;
  readonly timeMs: number;
  readonly voice?: SaidBy;
  /** Of the request that took it or gave it back; of other steps it is the one that was held. */
  readonly forDecisionId?: string | undefined;
}

/** The record of a step; `id` is its own. */
export function approvalNote(
  approval: Approval,
  { event, timeMs, voice, forDecisionId }: ApprovalStep,
  id: string,
): ApprovalRecord {
  const { tenant, server, tool, agent, user } = approval;
  return {
    kind: "approval",
    decisionId: id,
    timeMs,
    tenant,
    approvalId: approval.id,
    event,
    forDecisionId: forDecisionId ?? approval.decision_id,
    server,
    tool,
    agent,
    user,
    by: voice?.by ?? null,
    channel: voice?.channel ?? null,
    reason: voice?.reason ?? null,
    argsSha256: approval.args_sha256,
    expiresMs: Date.parse(approval.expires_at),
  };
}
