import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LayerIdentity, LayerVerdict } from "../../../src/contract/layer.ts";
import { combine } from "../../../src/policy/combine.ts";
import { anyVerdicts, approval, fails, grants, match, request, says, waiver } from "./verdicts.ts";

const isObserved = ({ name }: LayerIdentity) => name === "compliance";
const decide = (verdicts: readonly LayerVerdict[]) => combine(request(verdicts, { isObserved }));
const denies = says("compliance", { deny: [match("c.deny", { remediation: "ask" })] });
const holds = says("compliance", { requireApproval: [approval("c.hold")] });

describe("a layer that is only observed", () => {
  it("denies in the record and nowhere else", () => {
    const { answer, denials, hidden } = decide([grants, denies]);
    expect(answer).toMatchObject({
      allow: true,
      effect: "deny",
      enforced: false,
      reasons: ["c.deny"],
      metadata: { matched_rules: ["c.deny"], policy_version: "compliance-1" },
    });
    expect({ denials, hidden }).toEqual({ denials: [], hidden: false });
  });

  it("holds in the record and nowhere else", () => {
    const decision = decide([grants, holds]);
    expect(decision.answer).toMatchObject({ allow: true, effect: "hold", enforced: false });
    expect(decision.holds).toEqual([]);
  });

  it("is not observed where another layer refuses: that answer is enforced, and names the other", () => {
    const workflow = says("workflow", { deny: [match("w.deny")] });
    expect(decide([grants, denies, workflow]).answer).toMatchObject({
      allow: false,
      effect: "deny",
      enforced: true,
      reasons: ["w.deny"],
    });
    const holding = says("workflow", { requireApproval: [approval("w.hold")] });
    const held = decide([grants, denies, holding]);
    expect(held.answer).toMatchObject({ allow: false, effect: "hold", enforced: true });
    expect(held.holds.map(({ match: { rule } }) => rule)).toEqual(["w.hold"]);
  });

  it("gives no grant: what no rule allows stays denied", () => {
    expect(decide([says("server", {}), denies]).answer).toMatchObject({
      allow: false,
      enforced: true,
      reasons: ["no_rule_allows"],
    });
  });

  it.each<[string, LayerVerdict, string]>([
    ["a failure", fails("compliance", "policy_timeout"), "policy_timeout"],
    ["a missing bundle", fails("compliance", "no_policy"), "no_policy"],
    [
      "an obligation that nobody knows",
      says("compliance", { obligations: [{ id: "x", type: "dance", properties: {} }] }),
      "unknown_obligation",
    ],
    ["what it hides", says("compliance", { hide: [match("c.hide")] }), "tool_hidden"],
  ])("enforces %s all the same", (_, verdict, reason) => {
    expect(decide([grants, verdict]).answer).toMatchObject({
      allow: false,
      enforced: true,
      reasons: [reason],
    });
  });

  it("enforces capabilities all the same", () => {
    const nowhere = { servers: [], tools: [], scopes: [] };
    const identity = says("identity", { capabilities: nowhere }, "compliance");
    expect(decide([grants, identity])).toMatchObject({ hidden: true, answer: { enforced: true } });
  });

  it("says allow, and enforced, where nothing stood in the way, waived or not there", () => {
    const waived = says("compliance", { deny: [match("c.deny", { overridable: true })] });
    const overrides = says("overrides", { waive: [waiver()] });
    for (const verdicts of [
      [grants, says("compliance", {})],
      [grants, waived, overrides],
    ]) {
      const { answer } = decide(verdicts);
      expect(answer).toMatchObject({ allow: true, effect: "allow", enforced: true, reasons: [] });
    }
  });
});

describe("observing, whatever the layers say", () => {
  const without = (verdict: LayerVerdict): LayerVerdict =>
    verdict.ok && isObserved(verdict.layer)
      ? { ...verdict, output: { ...verdict.output, deny: [], requireApproval: [] } }
      : verdict;

  it("lets through what would pass without that layer's denials and holds, and nothing more", () => {
    fc.assert(
      fc.property(anyVerdicts, (verdicts) => {
        const { answer } = decide(verdicts);
        const bare = combine(request(verdicts.map(without)));
        expect(answer.allow).toBe(bare.answer.allow);
        const full = combine(request(verdicts));
        expect(answer.effect).toBe((answer.allow ? full : bare).answer.effect);
        expect(answer.enforced).toBe(answer.allow === (answer.effect === "allow"));
      }),
      { numRuns: 3000 },
    );
  });

  it("meets each of the three cases, so that the property above says something", () => {
    const seen = fc.sample(anyVerdicts, 4000).map((verdicts) => {
      const { allow, enforced } = decide(verdicts).answer;
      return `${allow} ${enforced}`;
    });
    expect(new Set(seen)).toEqual(new Set(["true true", "true false", "false true"]));
  });
});
