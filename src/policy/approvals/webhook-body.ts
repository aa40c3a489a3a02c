/**
 * What a webhook says about an approval: what is asked of people and where they answer, and what became
 * of it. Arguments are in the first one alone, and only where the configuration wants that.
 */
import type { Approval } from "./approval.ts";
import type { ApprovalStep } from "./approval-note.ts";

/** `approval.requested`, with the JSON text of the arguments where it is given. */
export function requestBody(approval: Approval, argumentsJson: string | undefined): string {
  const { id, requested_at: requestedAt } = approval;
  const path = `/v1/approvals/${id}`;
  const head = JSON.stringify({
    type: "approval.requested",
    timestamp: requestedAt,
    data: {
      ...factsOf(approval),
      // Of the admin interface, whose address is the operator's to give away.
      answer: { method: "POST", approve: `${path}/approve`, deny: `${path}/deny` },
    },
  });
  // The text that was judged, and not what reading it again would make of its numbers.
  return argumentsJson === undefined ? head : `${head.slice(0, -2)},"arguments":${argumentsJson}}}`;
}

/** `approval.EVENT`: who said it where somebody did. */
export function stepBody(approval: Approval, { event, timeMs, voice }: ApprovalStep): string {
  const { by = null, channel = null, reason = null } = voice ?? {};
  return JSON.stringify({
    type: `approval.${event}`,
    timestamp: new Date(timeMs).toISOString(),
    data: { ...factsOf(approval), status: approval.status, by, channel, reason },
  });
}

function factsOf(approval: Approval) {
  const { id, tenant, user, agent, server, tool, exposed_name, args_sha256 } = approval;
  return {
    approval_id: id,
    tenant,
    user,
    agent,
    action_type: approval.action_type,
    server,
    tool,
    exposed_name,
    args_sha256,
    decision_id: approval.decision_id,
    expires_at: approval.expires_at,
    requirements: approval.requirements.map(({ layer, rule, title, approvers, channels }) => ({
      layer,
      rule,
      title,
      approvers,
      channels,
    })),
  };
}
