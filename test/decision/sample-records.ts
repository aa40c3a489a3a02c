/**
 * Records as the gateway makes them; members may be changed.
 */
import { newId } from "../../src/config/ambient.ts";
import type { AdmissionRecord, OutcomeRecord } from "../../src/contract/record.ts";

/** A denied call. */
export function admission(changes: Partial<AdmissionRecord> = {}): AdmissionRecord {
  const decisionId = changes.decisionId ?? newId();
  return {
    kind: "admission",
    decisionId,
    timeMs: Date.now(),
    tenant: "default",
    agent: "support-bot",
    user: "alice",
    server: "crm",
    tool: "export_customers",
    exposedName: "crm__export_customers",
    actionType: "tool_call",
    protocolVersion: "2025-11-25",
    inputJson: `{"version":1,"phase":"call","action":{"args":{"a":1.50,"b":"ü"}}}`,
    argsSha256: "sha256:00",
    answer: denial(decisionId),
    layers: [
      {
        ok: false,
        layer: { name: "crm", kind: "server", revision: "1", digest: "sha256:aa" },
        code: "policy_error",
        message: "broken",
      },
    ],
    waivers: { used: [], expired: [] },
    dropped: ["_meta/x"],
    timings: { policyMs: 1.25, totalMs: 2.5 },
    posture: "strict",
    ...changes,
  };
}

function denial(decisionId: string): AdmissionRecord["answer"] {
  return {
    allow: false,
    effect: "deny",
    enforced: true,
    reasons: ["data_class_unauthorized_for_user"],
    remediation: "request_elevated_data_access",
    metadata: {
      decision_id: decisionId,
      policy_version: "1.4.7",
      matched_rules: ["compliance.user_data_access"],
      alternatives: ["crm__get_customer"],
      appeal_path: "https://tickets/",
      rate_limit_remaining: null,
      rate_limit_resets_at: null,
      audit_required: false,
      bundles: { crm: { revision: "1.4.7", digest: "sha256:aa" } },
    },
  };
}

/** The same call, allowed. */
export function allowed(changes: Partial<AdmissionRecord> = {}): AdmissionRecord {
  const record = admission(changes);
  const answer = { ...record.answer, allow: true, effect: "allow" as const, reasons: [] };
  return { ...record, answer: { ...answer, remediation: null } };
}

export function outcome(decisionId: string, changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
  return {
    kind: "outcome",
    decisionId,
    timeMs: Date.now(),
    outcome: "completed",
    resultSha256: "sha256:11",
    resultBytes: 42,
    latencyMs: 12.5,
    ...changes,
  };
}
