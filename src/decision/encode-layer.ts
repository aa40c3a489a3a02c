/**
 * One layer's verdict as the record keeps it: snake_case, whole, without the members that are empty
 * or undefined, because most layers say nothing about most calls.
 */
import type {
  ApprovalRequest,
  Capabilities,
  LayerOutput,
  LayerVerdict,
  RuleMatch,
} from "../contract/layer.ts";

type Members = Readonly<Record<string, unknown>>;

/** The JSON value of a verdict. */
export function encodeLayer(verdict: LayerVerdict): Members {
  const { name, kind, revision, digest } = verdict.layer;
  const identity = { name, kind, revision, digest };
  if (!verdict.ok) return { ...identity, error: { code: verdict.code, message: verdict.message } };
  return { ...identity, ...encodeOutput(verdict.output) };
}

function encodeOutput(output: LayerOutput): Members {
  return withoutEmpty({
    allow: output.allow.map(encodeMatch),
    deny: output.deny.map(encodeMatch),
    require_approval: output.requireApproval.map(encodeApproval),
    obligations: output.obligations,
    hide: output.hide.map(encodeMatch),
    data_classes: output.dataClasses,
    labels: output.labels,
    capabilities: encodeCapabilities(output.capabilities),
    waive: output.waive,
    warn: output.warn.map(encodeMatch),
  });
}

function encodeMatch(match: RuleMatch): Members {
  return withoutEmpty({
    rule: match.rule,
    code: match.code,
    title: match.title,
    description: match.description,
    severity: match.severity,
    remediation: match.remediation,
    appeal: match.appeal,
    alternatives: match.alternatives,
    overridable: match.overridable,
    disclose: match.disclose,
    audit: match.audit,
    owner: match.owner,
    actions: match.actions,
    message: match.message,
    details: match.details,
  });
}

function encodeApproval(request: ApprovalRequest): Members {
  return {
    ...encodeMatch(request),
    ...withoutEmpty({
      approvers: request.approvers,
      channels: request.channels,
      ttl_seconds: request.ttlSeconds,
    }),
  };
}

function encodeCapabilities(capabilities: Capabilities | undefined): Members | undefined {
  if (capabilities === undefined) return undefined;
  const { servers, tools, scopes } = capabilities;
  return { servers, tools, scopes };
}

function withoutEmpty(members: Members): Members {
  const kept = Object.entries(members).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(kept);
}
