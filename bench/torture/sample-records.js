/**
 * Records as the gateway makes them, of different lengths.
 */

/**
 * @param {string} decisionId
 * @param {number} timeMs
 * @returns {import("../../dist/contract/record.js").AdmissionRecord}
 */
export function sampleAdmission(decisionId, timeMs) {
  const filler = "x".repeat(Math.random() * 1500);
  return {
    kind: "admission",
    decisionId,
    timeMs,
    tenant: "default",
    agent: "support-bot",
    user: "alice",
    server: "crm",
    tool: "search_customers",
    exposedName: "crm__search_customers",
    actionType: "tool_call",
    protocolVersion: "2025-11-25",
    inputJson: JSON.stringify({ version: 1, phase: "call", action: { args: { filler } } }),
    argsSha256: `sha256:${"0".repeat(64)}`,
    answer: {
      allow: true,
      effect: "allow",
      enforced: true,
      reasons: [],
      remediation: null,
      metadata: {
        decision_id: decisionId,
        policy_version: "1.0.0",
        matched_rules: ["crm.anything"],
        alternatives: [],
        appeal_path: "",
        rate_limit_remaining: null,
        rate_limit_resets_at: null,
        audit_required: false,
        bundles: { crm: { revision: "1.0.0", digest: `sha256:${"a".repeat(64)}` } },
      },
    },
    layers: [],
    waivers: { used: [], expired: [] },
    dropped: [],
    timings: { policyMs: 0.2, totalMs: 0.9 },
    posture: "strict",
  };
}

/**
 * @param {string} decisionId
 * @param {number} timeMs
 * @returns {import("../../dist/contract/record.js").OutcomeRecord}
 */
export function sampleOutcome(decisionId, timeMs) {
  const result = { resultSha256: `sha256:${"1".repeat(64)}`, resultBytes: 42, latencyMs: 3 };
  return { kind: "outcome", decisionId, timeMs, outcome: "completed", ...result };
}
