/**
 * An approval: one question to people about one call, bound to who asks, what is called, as which
 * pinned definition and with which arguments. What may become of it is in `approval-changes.ts`.
 */
import type { ApprovalDocument } from "./approval-document.ts";

export const approvalStatuses = [
  /** Waits for people. */
  "pending",
  /** Everybody who had to agree did; not used yet. */
  "approved",
  "denied",
  /** Its call was made. */
  "used",
  "expired",
  /** Whoever asked does not want it any more. */
  "withdrawn",
] as const;
export type ApprovalStatus = (typeof approvalStatuses)[number];

export type Approval = ApprovalDocument;
export type ApprovalRequirement = Approval["requirements"][number];
/** Somebody's word: who, where, why and when. */
export type ApprovalVoice = NonNullable<Approval["denied"]>;

/** The status now: what has run out is `expired`, whether or not somebody wrote that down. */
export function statusAt(approval: Approval, nowMs: number): ApprovalStatus {
  const { status, expires_at: expiresAt } = approval;
  const isOpen = status === "pending" || status === "approved";
  return isOpen && nowMs >= Date.parse(expiresAt) ? "expired" : status;
}

/**
 * Of several approvals of the same call the one that it gets: what people denied, then what they agreed
 * to, then what waits. There are several where one was given back after the call had asked anew.
 */
export function answerAmong(same: readonly Approval[], nowMs: number): Approval | undefined {
  const answering = same.filter((one) => answersSameCall(one, nowMs));
  const having = (status: ApprovalStatus) => answering.find((one) => one.status === status);
  return having("denied") ?? having("approved") ?? having("pending");
}

/** True while the same call gets this one: a denial holds as long as an agreement would. */
function answersSameCall(approval: Approval, nowMs: number): boolean {
  if (nowMs >= Date.parse(approval.expires_at)) return false;
  return ["pending", "approved", "denied"].includes(approval.status);
}
