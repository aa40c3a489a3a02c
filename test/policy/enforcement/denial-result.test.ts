import { describe, expect, test } from "vitest";
import type { DecisionAnswer } from "../../../src/contract/answer.ts";
import type { RuleMatch } from "../../../src/contract/layer.ts";
import { denialResult } from "../../../src/policy/enforcement/denial-result.ts";

const match: RuleMatch = {
  rule: "compliance.access",
  code: "class_unauthorized",
  title: "Only what the user may see",
  description: "An agent reaches no class its user may not see.",
  severity: "high",
  remediation: "request_access",
  appeal: "https://tickets.example/new",
  alternatives: ["crm__get"],
  overridable: false,
  disclose: "text",
  audit: true,
  owner: "compliance",
  actions: [],
  message: undefined,
  details: { classes: ["pii"] },
};

const answer: DecisionAnswer = {
  allow: false,
  effect: "deny",
  enforced: true,
  reasons: ["class_unauthorized"],
  remediation: "request_access",
  metadata: {
    decision_id: "0190-id",
    policy_version: "1.4.7",
    matched_rules: ["compliance.access"],
    alternatives: ["crm__get"],
    appeal_path: "https://tickets.example/new",
    rate_limit_remaining: null,
    rate_limit_resets_at: null,
    audit_required: true,
    bundles: {},
  },
};

const result = (changes: Partial<RuleMatch> = {}) =>
  JSON.parse(denialResult(answer, [{ ...match, ...changes }]));

describe("a denial on the wire", () => {
  test("is a tool error whose text holds everything a model needs", () => {
    const { isError, content } = result();
    expect(isError).toBe(true);
    expect(content).toHaveLength(1);
    for (const part of [
      "Denied by policy (class_unauthorized). The call was not made.",
      "[class_unauthorized] Only what the user may see: An agent reaches no class",
      "What would help: request_access",
      "You can use instead: crm__get",
      "Appeal: https://tickets.example/new",
      "Decision: 0190-id",
    ]) {
      expect(content[0].text).toContain(part);
    }
  });

  test("carries the whole answer in _meta and no structured content", () => {
    expect(result()._meta).toEqual({ "io.mcp-gateway/decision": answer });
    expect(result()).not.toHaveProperty("structuredContent");
  });

  test("shows what is hidden in a sentence that quotes the call, and in _meta", () => {
    const hidden = { ...answer, remediation: "say \u202eplease" };
    const shown = denialResult(hidden, [{ ...match, message: "no \u001b[2Jpath" }]);
    const { content, _meta } = JSON.parse(shown);
    expect(content[0].text).toContain(String.raw`no \u001b[2Jpath`);
    expect(content[0].text).not.toContain("\u001b");
    const { remediation } = _meta["io.mcp-gateway/decision"];
    expect(remediation).toBe(String.raw`say \u202eplease`);
  });

  test("never shows the details of a rule, which are for the record", () => {
    expect(JSON.stringify(result())).not.toContain("pii");
  });

  test("of a rule that discloses its code alone has no words of it", () => {
    const text = JSON.stringify(result({ disclose: "code" }));
    expect(text).not.toContain("Only what the user may see");
    expect(text).not.toContain("crm__get");
    expect(text).toContain("class_unauthorized");
    expect(text).toContain("request_access");
  });

  test("of a rule that discloses nothing names neither rule nor code", () => {
    const shown = result({ disclose: "none" });
    const text = JSON.stringify(shown);
    for (const secret of ["class_unauthorized", "compliance.access", "request_access", "tickets"]) {
      expect(text).not.toContain(secret);
    }
    expect(shown._meta["io.mcp-gateway/decision"].reasons).toEqual(["denied"]);
  });

  test("that holds the call says that a person has to agree", () => {
    const held = { ...answer, effect: "hold", reasons: ["approval_required"] } as const;
    const { content } = JSON.parse(denialResult(held, [match]));
    expect(content[0].text).toContain("Held by policy (approval_required)");
    expect(content[0].text).toContain("It was not made.");
  });
});
