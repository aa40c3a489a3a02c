/**
 * One approval as commands and the admin interface show it: everything that somebody needs who
 * decides, the arguments whole, with what cannot be seen written out.
 */
import type { Approval, ApprovalRequirement } from "./approval.ts";
import type { Approvals } from "./approvals.ts";
import { visibleJson } from "./visible-json.ts";

/** `arguments` is JSON text as it would be sent; `null` once the approval is closed. */
export async function describeApproval(approvals: Approvals, approval: Approval) {
  const text = await approvals.argumentsOf(approval.id);
  const { id, status, requested_at, expires_at, tenant, user, agent, server, tool } = approval;
  return {
    id,
    status,
    requested_at,
    expires_at,
    tenant,
    user,
    agent,
    action_type: approval.action_type,
    server,
    tool,
    exposed_name: approval.exposed_name,
    definition_digest: approval.definition_digest,
    arguments: text === undefined ? null : visibleJson(text),
    args_sha256: approval.args_sha256,
    requirements: approval.requirements.map(describeRequirement),
    denied: approval.denied,
    decision_id: approval.decision_id,
    used_by: approval.used_by,
  };
}

/** Whom a request waits for, in a few words. */
export function waitsFor({ requirements }: Approval): string {
  const open = requirements.filter(({ approved }) => approved === null);
  const names = open.flatMap(({ approvers }) => (approvers.length === 0 ? ["anybody"] : approvers));
  return [...new Set(names)].join(",") || "-";
}

function describeRequirement({
  layer,
  rule,
  title,
  approvers,
  channels,
  approved,
}: ApprovalRequirement) {
  return { layer, rule, title, approvers, channels, approved };
}
