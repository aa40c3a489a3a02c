/**
 * What may become of an approval, as pure functions: agreed to, denied, used, given back, withdrawn,
 * run out. Stores apply them alone, under a lock or in a transaction, so that of many who try at once
 * one is first.
 */
import type { Approval, ApprovalRequirement, ApprovalVoice } from "./approval.ts";
import { statusAt } from "./approval.ts";
import { ApprovalError } from "./approval-error.ts";
import type { ApprovalChannel } from "./requirement.ts";
import { acceptsChannel } from "./requirement.ts";

/** Somebody who decides. */
export interface Approver {
  /** As in the record and in `approvers` of a policy. */
  readonly name: string;
  /** Every name that they go by; none of them may be the requester's. */
  readonly names: readonly string[];
  readonly groups: readonly string[];
}

export interface Ruling {
  readonly verdict: "approve" | "deny";
  readonly approver: Approver;
  readonly channel: ApprovalChannel;
  readonly reason: string | null;
}

/**
 * What a person's decision makes of an approval.
 *
 * @throws ApprovalError where it does not count
 */
export function rule(approval: Approval, ruling: Ruling, nowMs: number): Approval {
  requireOpen(approval, ruling, nowMs);
  const mine = approval.requirements.filter((one) => isFor(one, approval, ruling));
  if (mine.length === 0) throw refusalOf(approval, ruling);
  const { approver, channel, reason } = ruling;
  const voice = { by: approver.name, channel, reason, at: new Date(nowMs).toISOString() };
  return ruling.verdict === "deny"
    ? { ...approval, status: "denied", denied: voice, closed_at: voice.at }
    : agree(approval, mine, voice);
}

/** True where this person, through this channel, may decide about anything that is asked. */
export function mayRule(approval: Approval, ruling: Pick<Ruling, "approver" | "channel">): boolean {
  return approval.requirements.some((one) => isFor(one, approval, ruling));
}

/** One request that takes an approval. */
export interface Claim {
  /** How often it was used before. */
  readonly uses: number;
  /** Of the request. */
  readonly decisionId: string;
}

/**
 * Takes it for one request: the call itself, or the retry that follows the `uses` before it.
 * `undefined` where it is not there to be taken.
 */
export function claim(
  approval: Approval,
  { uses, decisionId }: Claim,
  nowMs: number,
): Approval | undefined {
  const wanted = uses === 0 ? "approved" : "used";
  if (statusAt(approval, nowMs) !== wanted || approval.uses !== uses) return undefined;
  const closed = { used_by: decisionId, closed_at: new Date(nowMs).toISOString() };
  const first = uses === 0 ? closed : {};
  return { ...approval, ...first, status: "used", uses: uses + 1 };
}

/**
 * Undoes a claim whose request came to nothing. `undefined` where there is nothing to undo: somebody
 * took it since, or its time is over.
 */
export function giveBack(
  approval: Approval,
  { uses, decisionId }: Claim,
  nowMs: number,
): Approval | undefined {
  if (approval.status !== "used" || approval.uses !== uses + 1) return undefined;
  if (uses > 0) return { ...approval, uses };
  const isOver = nowMs >= Date.parse(approval.expires_at);
  if (approval.used_by !== decisionId || isOver) return undefined;
  return { ...approval, status: "approved", uses, used_by: null, closed_at: null };
}

/** Nobody wants it any more; `undefined` where people decided meanwhile. */
export function withdraw(approval: Approval, nowMs: number): Approval | undefined {
  if (statusAt(approval, nowMs) !== "pending") return undefined;
  return { ...approval, status: "withdrawn", closed_at: new Date(nowMs).toISOString() };
}

/** Writes down that it ran out; `undefined` where it did not. */
export function expire(approval: Approval, nowMs: number): Approval | undefined {
  if (approval.status === "expired" || statusAt(approval, nowMs) !== "expired") return undefined;
  return { ...approval, status: "expired", closed_at: new Date(nowMs).toISOString() };
}

/** An agreement that was not used yet can be taken back. */
function requireOpen(approval: Approval, { verdict }: Ruling, nowMs: number): void {
  const status = statusAt(approval, nowMs);
  if (status === "pending" || (status === "approved" && verdict === "deny")) return;
  throw closed({ ...approval, status });
}

/** Why nobody decides about this one any more. */
export function closed({ id, status }: Pick<Approval, "id" | "status">): ApprovalError {
  return new ApprovalError(
    "approval_closed",
    `expected approval ${id} to wait for a decision, found it ${status}; the same call asks anew`,
  );
}

function agree(
  approval: Approval,
  mine: readonly ApprovalRequirement[],
  voice: ApprovalVoice,
): Approval {
  const requirements = approval.requirements.map((one) =>
    one.approved === null && mine.includes(one) ? { ...one, approved: voice } : one,
  );
  const isWhole = requirements.every(({ approved }) => approved !== null);
  return { ...approval, requirements, status: isWhole ? "approved" : "pending" };
}

function isFor(
  requirement: ApprovalRequirement,
  approval: Approval,
  { approver, channel }: Pick<Ruling, "approver" | "channel">,
): boolean {
  if (!acceptsChannel(requirement, channel)) return false;
  const { approvers } = requirement;
  const isSelf = isRequester(approval, approver);
  // Whoever sits at the client is the requester: a policy that accepts the client accepts that.
  const mayBeSelf = channel === "client" || approvers.includes("self");
  if (isSelf && !mayBeSelf) return false;
  if (approvers.length === 0) return true;
  return (
    (isSelf && approvers.includes("self")) ||
    approvers.includes(approver.name) ||
    approver.groups.some((group) => approvers.includes(`group:${group}`))
  );
}

/** By any name: on stdio the configuration names the user, and who started the gateway is one too. */
function isRequester({ user, os_users: osUsers }: Approval, { names }: Approver): boolean {
  return names.some((name) => name === user || osUsers.includes(name));
}

function refusalOf(approval: Approval, { approver, channel }: Ruling): ApprovalError {
  const { id, requirements } = approval;
  if (!requirements.some((one) => acceptsChannel(one, channel))) {
    return new ApprovalError(
      "approval_channel_refused",
      `approval ${id}: the policy does not accept a decision from "${channel}"; it accepts ${listed(requirements.flatMap(({ channels }) => channels))}`,
    );
  }
  if (isRequester(approval, approver)) {
    return new ApprovalError(
      "approval_self",
      `approval ${id}: expected somebody other than the requester, found "${approver.name}", who is that; ask another approver`,
    );
  }
  return new ApprovalError(
    "approval_not_approver",
    `approval ${id}: expected one of ${listed(requirements.flatMap(({ approvers }) => approvers))}, found "${approver.name}"; see approvals.approvers in the configuration`,
  );
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].join(", ");
}
