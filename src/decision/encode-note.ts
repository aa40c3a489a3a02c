/**
 * The records that are no part of a decision, as snake_case JSON: what bundles did, what became of a
 * request for approval, what an operator changed, what a shadow would have decided. They share the
 * head of a decision's record, so that one reader takes them all.
 */
import type {
  ActivationRecord,
  AdminRecord,
  ApprovalRecord,
  NotedRecord,
} from "../contract/record.ts";
import type { ComparedAnswer, ShadowRecord } from "../contract/shadow-record.ts";
import { toTimestamp } from "./to-timestamp.ts";

/** OPA's `labels`: which gateway wrote the record. */
export type RecordLabels = Readonly<Record<string, string>>;

/** The members of a note's JSON, in order. */
export function noteMembers(
  note: NotedRecord,
  labels: RecordLabels,
): Readonly<Record<string, unknown>> {
  return {
    kind: note.kind,
    decision_id: note.decisionId,
    timestamp: toTimestamp(note.timeMs),
    labels,
    tenant: note.tenant,
    ...membersOf(note),
  };
}

function membersOf(note: NotedRecord): object {
  switch (note.kind) {
    case "activation":
      return activationMembers(note);
    case "approval":
      return approvalMembers(note);
    case "admin":
      return adminMembers(note);
    case "shadow":
      return shadowMembers(note);
  }
}

function activationMembers(note: ActivationRecord): object {
  return {
    layer: note.layer,
    layer_kind: note.layerKind,
    reference: note.reference,
    event: note.event,
    digest: note.digest ?? null,
    previous_digest: note.previous ?? null,
    revision: note.revision,
    by: note.by,
    why: note.why,
    code: note.code,
    signers: note.signers,
  };
}

function approvalMembers(note: ApprovalRecord): object {
  return {
    approval_id: note.approvalId,
    event: note.event,
    for_decision_id: note.forDecisionId,
    server: note.server,
    tool: note.tool,
    agent: note.agent,
    user: note.user,
    by: note.by,
    channel: note.channel,
    reason: note.reason,
    args_sha256: note.argsSha256,
    expires_at: toTimestamp(note.expiresMs),
  };
}

function adminMembers(note: AdminRecord): object {
  const { by, action, subject, reason, details } = note;
  return { by, action, subject, reason, details };
}

function shadowMembers(note: ShadowRecord): object {
  return {
    for_decision_id: note.forDecisionId,
    server: note.server,
    tool: note.tool,
    agent: note.agent,
    user: note.user,
    layer: note.layer,
    layer_kind: note.layerKind,
    revision: note.revision,
    digest: note.digest,
    difference: note.difference,
    code: note.code,
    was: answerMembers(note.was),
    would: answerMembers(note.would),
  };
}

function answerMembers({ matchedRules, policyMs, ...answer }: ComparedAnswer): object {
  return { ...answer, matched_rules: matchedRules, policy_ms: policyMs };
}
