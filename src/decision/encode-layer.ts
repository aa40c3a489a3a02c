/**
 * One layer's verdict as the record keeps it: snake_case, whole, without the members that are empty
 * or undefined, because most layers say nothing about most calls.
 */
import type { ApprovalRequest, LayerOutput, LayerVerdict } from "../contract/layer.ts";

type Members = Readonly<Record<string, unknown>>;

/** The JSON value of a verdict. */
export function encodeLayer(verdict: LayerVerdict): Members {
  if (!verdict.ok) {
    return { ...verdict.layer, error: { code: verdict.code, message: verdict.message } };
  }
  return { ...verdict.layer, ...encodeOutput(verdict.output) };
}

function encodeOutput(output: LayerOutput): Members {
  const { requireApproval, dataClasses, parentCapabilities, allow, deny, hide, warn, ...others } =
    output;
  return withoutEmpty({
    ...others,
    allow: allow.map(withoutEmpty),
    deny: deny.map(withoutEmpty),
    require_approval: requireApproval.map(encodeApproval),
    hide: hide.map(withoutEmpty),
    data_classes: dataClasses,
    parent_capabilities: parentCapabilities,
    warn: warn.map(withoutEmpty),
  });
}

function encodeApproval({ ttlSeconds, ...request }: ApprovalRequest): Members {
  return withoutEmpty({ ...request, ttl_seconds: ttlSeconds });
}

function withoutEmpty(members: object): Members {
  const kept = Object.entries(members).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(kept);
}
