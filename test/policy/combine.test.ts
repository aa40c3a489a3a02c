import { describe, expect, it } from "vitest";
import { gatewayCodes } from "../../src/contract/layer.ts";
import { combine, gatewayDenial } from "../../src/policy/combine.ts";
import { approval, fails, grants, match, request, says, waiver } from "./combine/verdicts.ts";

const everything = { servers: ["*"], tools: ["*"], scopes: ["*"] };
const redact = { id: "r1", type: "redact", properties: {} };

describe("combine, step by step", () => {
  it("hides what a hide rule names before anything else is looked at", () => {
    const hiding = says("workflow", { hide: [match("w.secret", { code: "w.code" })] });
    const decision = combine(request([grants, hiding, fails("compliance")]));
    expect(decision.hidden).toBe(true);
    expect(decision.answer).toMatchObject({ effect: "deny", reasons: ["tool_hidden"] });
    expect(decision.answer.metadata.matched_rules).toEqual(["w.secret"]);
  });

  it.each([
    ["another server", { ...everything, servers: ["mail"] }],
    ["another tool", { ...everything, tools: ["mail/get_customer", "delete_*"] }],
    ["another scope", { ...everything, scopes: ["billing"] }],
  ])("hides what is outside the agent's capabilities: %s", (_, capabilities) => {
    const decision = combine(request([says("identity", { capabilities }), grants]));
    expect(decision.hidden).toBe(true);
    expect(decision.answer.reasons).toEqual(["outside_capabilities"]);
  });

  it("intersects the capabilities of several identity layers", () => {
    const wide = says("identity", { capabilities: everything }, "wide");
    const narrow = says("identity", { capabilities: { ...everything, servers: [] } }, "narrow");
    expect(combine(request([wide, grants])).answer.allow).toBe(true);
    expect(combine(request([wide, narrow, grants])).hidden).toBe(true);
  });

  it("keeps a sub-agent within the capabilities of every agent above it", () => {
    const within = (...parentCapabilities: (typeof everything)[]) =>
      combine(
        request([says("identity", { capabilities: everything, parentCapabilities }), grants]),
      );
    const nowhere = { servers: [], tools: [], scopes: [] };
    expect(within(everything, everything).answer.allow).toBe(true);
    expect(within(everything, nowhere)).toMatchObject({
      hidden: true,
      answer: { reasons: ["outside_capabilities"] },
    });
    const silent = says("identity", { parentCapabilities: [nowhere] });
    expect(combine(request([silent, grants])).hidden).toBe(true);
  });

  it("keeps an agent without a scope out, unless the capabilities say any", () => {
    const scoped = says("identity", { capabilities: { ...everything, scopes: ["support"] } });
    const any = says("identity", { capabilities: everything });
    expect(combine(request([scoped, grants], { scope: null })).hidden).toBe(true);
    expect(combine(request([any, grants], { scope: null })).answer.allow).toBe(true);
  });

  it("denies before it holds, and holds before it allows", () => {
    const denying = says("compliance", { deny: [match("c.deny")] });
    const holding = says("workflow", { requireApproval: [approval("w.hold")] });
    expect(combine(request([grants, holding, denying])).answer.effect).toBe("deny");
    expect(combine(request([grants, holding])).answer.effect).toBe("hold");
    expect(combine(request([grants])).answer.effect).toBe("allow");
  });

  it("says approval_required and the rule that wants it when it holds", () => {
    const holding = says("workflow", { requireApproval: [approval("w.hold")] });
    const decision = combine(request([grants, holding]));
    expect(decision.answer.reasons).toEqual(["approval_required"]);
    expect(decision.answer.metadata.matched_rules).toEqual(["w.hold"]);
    expect(decision.holds.map(({ match: { rule } }) => rule)).toEqual(["w.hold"]);
  });

  it("holds until every approval is there, each on its own", () => {
    const requireApproval = [approval("w.one"), approval("w.two")];
    const verdicts = [grants, says("workflow", { requireApproval })];
    const one = request(verdicts, { isApproved: (_, { rule }) => rule === "w.one" });
    const both = request(verdicts, { isApproved: () => true });
    expect(combine(one).holds.map(({ match: { rule } }) => rule)).toEqual(["w.two"]);
    expect(combine(both).answer.effect).toBe("allow");
  });

  it("allows by the server's grant, and names the rule and the bundles", () => {
    const decision = combine(request([grants, says("compliance", {})]));
    expect(decision.answer).toEqual({
      allow: true,
      effect: "allow",
      enforced: true,
      reasons: [],
      remediation: null,
      metadata: {
        decision_id: "019aaaaa-0000-7000-8000-000000000000",
        policy_version: "crm-1",
        matched_rules: ["crm.read"],
        alternatives: [],
        appeal_path: null,
        rate_limit_remaining: null,
        rate_limit_resets_at: null,
        audit_required: false,
        bundles: {
          crm: { revision: "crm-1", digest: "sha256:crm" },
          compliance: { revision: "compliance-1", digest: "sha256:compliance" },
        },
      },
    });
  });

  it("denies what no rule allows", () => {
    const decision = combine(request([says("server", {})]));
    expect(decision.answer).toMatchObject({ effect: "deny", reasons: ["no_rule_allows"] });
    expect(combine(request([])).answer.reasons).toEqual(["no_rule_allows"]);
  });
});

describe("grants", () => {
  it("count only from the bundle of the action's own server", () => {
    const allow = [match("x.allow")];
    expect(combine(request([says("compliance", { allow })])).answer.allow).toBe(false);
    expect(combine(request([says("server", { allow }, "mail")])).answer.allow).toBe(false);
  });

  it("count only within the operator's ceiling", () => {
    const within = { serverCeiling: ["get_*"] };
    expect(combine(request([grants], within)).answer.allow).toBe(true);
    expect(combine(request([grants], { serverCeiling: ["crm/get_*"] })).answer.allow).toBe(true);
    expect(combine(request([grants], { serverCeiling: ["list_*"] })).answer.allow).toBe(false);
    expect(combine(request([grants], { serverCeiling: [] })).answer.allow).toBe(false);
  });

  it("count for another action type only where the rule's metadata lists it", () => {
    const action = { type: "resource_read", server: "crm", tool: "file:///a" };
    const allow = [match("crm.read"), match("crm.files", { actions: ["resource_read"] })];
    expect(combine(request([grants], { action })).answer.allow).toBe(false);
    const decision = combine(request([says("server", { allow })], { action }));
    expect(decision.answer.metadata.matched_rules).toEqual(["crm.files"]);
  });
});

describe("denials", () => {
  it.each(["policy_error", "policy_timeout", "no_decision", "no_policy"] as const)(
    "deny with %s where a layer gave no answer, and keep its message to themselves",
    (code) => {
      const decision = combine(request([grants, fails("workflow", code)]));
      expect(decision.answer.reasons).toEqual([code]);
      expect(JSON.stringify(decision)).not.toContain("for the operator only");
    },
  );

  it("come by layer order and then by code, and the first gives the single values", () => {
    const late = match("z.deny", { code: "a_code", remediation: "late", appeal: "late:" });
    const early = match("y.deny", { code: "z_code", remediation: "early", alternatives: ["b"] });
    const first = match("x.deny", { code: "y_code", remediation: "first", alternatives: ["a"] });
    const decision = combine(
      request([says("compliance", { deny: [late] }), says("server", { deny: [early, first] })]),
    );
    expect(decision.answer.reasons).toEqual(["y_code", "z_code", "a_code"]);
    expect(decision.answer.remediation).toBe("first");
    expect(decision.answer.metadata).toMatchObject({
      policy_version: "crm-1",
      matched_rules: ["x.deny", "y.deny", "z.deny"],
      alternatives: ["a", "b"],
      appeal_path: null,
    });
  });

  it("come by the order of the config within one kind", () => {
    const one = says("compliance", { deny: [match("one")] }, "one");
    const two = says("compliance", { deny: [match("another")] }, "two");
    expect(combine(request([one, two])).answer.reasons).toEqual(["one", "another"]);
    expect(combine(request([two, one])).answer.reasons).toEqual(["another", "one"]);
  });

  it("hold an obligation that nobody knows against the call", () => {
    const obliged = says("compliance", { obligations: [redact] });
    const unknown = combine(request([grants, obliged]));
    const known = combine(
      request([grants, obliged], { canFulfil: ({ type }) => type === "redact" }),
    );
    expect(unknown.answer.reasons).toEqual(["unknown_obligation"]);
    expect(known.answer.allow).toBe(true);
  });

  it("that the gateway makes alone name its rule and say its code", () => {
    const { answer, denials, hidden } = gatewayDenial("id", "audit_unavailable");
    expect(answer).toMatchObject({ allow: false, effect: "deny", reasons: ["audit_unavailable"] });
    expect(answer.metadata).toMatchObject({
      decision_id: "id",
      policy_version: "",
      matched_rules: ["gateway.audit_unavailable"],
      bundles: {},
    });
    expect(denials.map(({ match: { code } }) => code)).toEqual(["audit_unavailable"]);
    expect(hidden).toBe(false);
  });

  it("ask for a lasting record when any rule that matched does", () => {
    const audited = match("c.deny", { audit: true, overridable: true });
    const verdicts = [grants, says("compliance", { deny: [audited] })];
    const lifting = says("overrides", { waive: [waiver()] });
    expect(combine(request(verdicts)).answer.metadata.audit_required).toBe(true);
    expect(combine(request([...verdicts, lifting])).answer).toMatchObject({
      effect: "allow",
      metadata: { audit_required: true },
    });
  });

  it("are none of the warnings, which block nothing", () => {
    const decision = combine(request([grants, says("workflow", { warn: [match("w.large")] })]));
    expect(decision.answer.allow).toBe(true);
  });
});

describe("waivers", () => {
  const denial = match("c.deny", { overridable: true });
  const denying = says("compliance", { deny: [denial] });
  const waive = (
    part: Parameters<typeof waiver>[0] = {},
    kind: "overrides" | "workflow" = "overrides",
  ) => combine(request([grants, denying, says(kind, { waive: [waiver(part)] })]));

  it("lift the denial that they name, and are in the record", () => {
    const decision = waive();
    expect(decision.answer.allow).toBe(true);
    expect(decision.usedWaivers).toEqual([waiver()]);
  });

  it.each([
    ["another bundle", { bundle: "workflow" }],
    ["another rule", { rule: "c.other" }],
    ["no justification", { justification: " " }],
  ])("lift nothing when they name %s", (_, part) => {
    expect(waive(part)).toMatchObject({ answer: { effect: "deny" }, usedWaivers: [] });
  });

  it.each([
    ["in the past", "2026-11-22T11:59:59Z"],
    ["this very moment", "2026-11-22T12:00:00Z"],
    ["this moment in another zone", "2026-11-22T14:00:00+02:00"],
    ["a day, not a moment", "2026-12-01"],
    ["no time at all", "never"],
  ])("lift nothing when they expire %s, and are reported", (_, expires) => {
    const decision = waive({ expires });
    expect(decision.answer.effect).toBe("deny");
    expect(decision.expiredWaivers).toHaveLength(1);
  });

  it("lift nothing that its author did not mark overridable", () => {
    const fixed = says("compliance", { deny: [match("c.deny")] });
    const lifting = says("overrides", { waive: [waiver()] });
    expect(combine(request([grants, fixed, lifting])).answer.effect).toBe("deny");
  });

  it("count only from the overrides layer", () => {
    expect(waive({}, "workflow").answer.effect).toBe("deny");
  });

  it.each(gatewayCodes)("lift nothing of the gateway's own: %s", (code) => {
    const own = match("c.deny", { code, overridable: true });
    const verdicts = [grants, says("compliance", { deny: [own] })];
    const lifting = says("overrides", { waive: [waiver()] });
    expect(combine(request([...verdicts, lifting])).answer.effect).toBe("deny");
  });

  it("lift no failure of a layer", () => {
    const lifting = says("overrides", { waive: [waiver({ rule: "gateway.policy_error" })] });
    expect(combine(request([grants, fails("compliance"), lifting])).answer.effect).toBe("deny");
  });
});
