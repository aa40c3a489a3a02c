import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LayerVerdict } from "../../../src/contract/layer.ts";
import { baseName } from "../../../src/contract/layer.ts";
import { obligationsOf } from "../../../src/gateway/action/open-duties.ts";
import type { CombinedDecision, CombineRequest } from "../../../src/policy/combine.ts";
import { combine, combineResult } from "../../../src/policy/combine.ts";
import { isMet } from "../../../src/policy/approvals/approval-grant.ts";
import { approvalTerms } from "../../../src/policy/approvals/requirement.ts";
import {
  anyVerdict,
  anyVerdicts,
  approval,
  fails,
  grants,
  match,
  request,
  says,
  waiver,
} from "./verdicts.ts";

const numRuns = 2000;

/** The same verdict, said by a canary of the layer. */
function canary(verdict: LayerVerdict): LayerVerdict {
  const { layer } = verdict;
  const beside = {
    ...layer,
    name: `${layer.name}~canary`,
    digest: `${layer.digest}~`,
    revision: "2",
  };
  return { ...verdict, layer: { ...beside, canaryOf: layer.name } };
}

/** What may differ from one gateway to another. */
const circumstances = fc
  .record({
    approved: fc.subarray(["a.one", "a.two", "b.one", "c.deny"]),
    observed: fc.subarray(["compliance", "workflow", "identity"], { maxLength: 2 }),
    maxWaivers: fc.constantFrom(undefined, 0, 1, 2),
  })
  .map(({ approved, observed, maxWaivers }): Partial<CombineRequest> => ({
    canFulfil: ({ type }) => type === "redact",
    isApproved: (_, { rule }) => approved.includes(rule),
    isObserved: (layer) => observed.includes(baseName(layer)),
    maxWaivers,
  }));

function strengthOf({ hidden, answer }: CombinedDecision): number {
  if (hidden) return 3;
  if (answer.allow) return 0;
  return answer.effect === "hold" ? 1 : 2;
}

function names(found: CombinedDecision["denials"] | CombinedDecision["holds"]): readonly string[] {
  return found.map(({ layer, match: { rule } }) => `${layer.name} ${rule}`);
}

describe("a canary beside any layers", () => {
  const added = fc.array(anyVerdict.map(canary), { minLength: 1, maxLength: 2 });

  it("never makes anything weaker, whatever it says", () => {
    let counted = 0;
    fc.assert(
      fc.property(anyVerdicts, added, circumstances, fc.nat(6), (layers, more, part, place) => {
        const alone = combine(request(layers, part));
        const beside = combine(request(layers.toSpliced(place, 0, ...more), part));
        expect(strengthOf(beside)).toBeGreaterThanOrEqual(strengthOf(alone));
        if (strengthOf(alone) > 0 && strengthOf(alone) === strengthOf(beside)) counted += 1;
        // What is lifted beyond is a denial of a canary, by a waiver of the layers.
        const given = layers.flatMap(waiversOf);
        expect(beside.usedWaivers.filter((used) => !given.includes(used))).toEqual([]);
      }),
      { numRuns },
    );
    expect(counted).toBeGreaterThan(0);
  });

  it("takes no denial and no hold of a layer away", () => {
    fc.assert(
      fc.property(anyVerdicts, added, circumstances, (layers, more, part) => {
        const alone = combine(request(layers, part));
        const beside = combine(request([...layers, ...more], part));
        fc.pre(alone.hidden === beside.hidden);
        const kept = new Set(names(beside.denials));
        const own = names(alone.denials).filter((name) => !name.endsWith("gateway.no_rule_allows"));
        expect(own.filter((name) => !kept.has(name))).toEqual([]);
        if (beside.holds.length === 0) return;
        expect(names(beside.holds)).toEqual(expect.arrayContaining([...names(alone.holds)]));
      }),
      { numRuns },
    );
  });

  it("takes no denial of a result away", () => {
    fc.assert(
      fc.property(anyVerdicts, added, circumstances, (layers, more, part) => {
        const alone = combineResult(request(layers, part));
        fc.pre(!alone.answer.allow);
        expect(combineResult(request([...layers, ...more], part)).answer.allow).toBe(false);
      }),
      { numRuns },
    );
  });

  it("takes no obligation away", () => {
    fc.assert(
      fc.property(anyVerdicts, added, (layers, more) => {
        const own = obligationsOf(layers);
        expect(obligationsOf([...more, ...layers]).slice(0, own.length)).toEqual(own);
      }),
      { numRuns },
    );
  });
});

function waiversOf(verdict: LayerVerdict) {
  return verdict.ok ? verdict.output.waive : [];
}

describe("a canary of a server's bundle", () => {
  it("has to grant too, and is named where it does not", () => {
    const silent = canary(says("server", {}));
    expect(combine(request([grants, canary(grants)])).answer.allow).toBe(true);
    const { answer, denials } = combine(request([grants, silent]));
    expect(answer).toMatchObject({ allow: false, reasons: ["no_rule_allows"] });
    expect(denials[0]?.layer.name).toBe("crm~canary");
  });

  it("grants nothing alone", () => {
    const { answer, denials } = combine(request([says("server", {}), canary(grants)]));
    expect(answer).toMatchObject({ allow: false, reasons: ["no_rule_allows"] });
    expect(denials[0]?.layer.name).toBe("crm");
  });

  it("is asked about other action types as its layer is", () => {
    const reads = says("server", { allow: [match("crm.read", { actions: ["resource_read"] })] });
    const action = { type: "resource_read", server: "crm", tool: "resource_read:x" };
    expect(combine(request([reads, canary(reads)], { action })).answer.allow).toBe(true);
    expect(combine(request([reads, canary(grants)], { action })).answer.allow).toBe(false);
  });

  it("that fails denies", () => {
    const { answer } = combine(request([grants, canary(fails("server", "no_decision"))]));
    expect(answer).toMatchObject({ allow: false, reasons: ["no_decision"] });
  });
});

describe("waivers and canaries", () => {
  const denial = says("compliance", { deny: [match("c.deny", { overridable: true })] });
  const waives = (part = {}): LayerVerdict => says("overrides", { waive: [waiver(part)] });

  it("lift the same rule of the canary too, since they name the layer", () => {
    const { answer, usedWaivers } = combine(request([grants, denial, canary(denial), waives()]));
    expect(answer.allow).toBe(true);
    expect(usedWaivers).toHaveLength(1);
  });

  it("lift nothing where only the canary of the overrides gives them", () => {
    const none = says("overrides", {});
    const decision = combine(request([grants, denial, none, canary(waives())]));
    expect(decision.answer.allow).toBe(false);
    expect(decision.usedWaivers).toEqual([]);
  });

  it.each([
    ["it gives none", says("overrides", {})],
    ["its own has run out", waives({ expires: "2026-11-22T11:59:59Z" })],
    ["its own names another rule", waives({ rule: "c.other" })],
    ["its own has no reason", waives({ justification: " " })],
  ])("of a layer lift nothing where its canary does not give them: %s", (_, said) => {
    const decision = combine(request([grants, denial, waives(), canary(said)]));
    expect(decision.answer.allow).toBe(false);
    const problem = 'expected it of "overrides~canary" too, found none in force there';
    expect(decision.voidWaivers).toContainEqual(
      expect.objectContaining({ rule: "c.deny", problem }),
    );
  });

  it("count where both give them, and as many as before", () => {
    const both = [grants, denial, waives(), canary(waives({ ticket: "T-2" }))];
    expect(combine(request(both, { maxWaivers: 1 })).answer.allow).toBe(true);
    // The first by name counts; the canary does not let the second one in its place.
    const earlier = waiver({ rule: "a.other" });
    const two = says("overrides", { waive: [earlier, waiver()] });
    const decision = combine(request([grants, denial, two, canary(waives())], { maxWaivers: 1 }));
    expect(decision.answer.allow).toBe(false);
  });
});

describe("what a canary wants of people and of results", () => {
  const held = (part = {}): LayerVerdict =>
    says("compliance", { requireApproval: [approval("c.ask", part)] });

  it("is met with its layer where it asks the same, and asked for by itself where it does not", () => {
    const [layer, same, other] = [held(), canary(held()), canary(held({ approvers: ["carol"] }))];
    const keyOf = (verdict: LayerVerdict): string => {
      const [found] = verdict.ok ? verdict.output.requireApproval : [];
      if (found === undefined) throw new Error("expected one element");
      return approvalTerms({ layer: verdict.layer, match: found }).key;
    };
    const keys = new Set([keyOf(layer)]);
    const use = { actionType: "tool_call", server: "crm", tool: "x", definitionDigest: null };
    const given = { id: "1", use, approvedBy: ["bob"], at: "", rules: [], keys, uses: 0 };
    const isApproved: CombineRequest["isApproved"] = (one, element) =>
      isMet({ ...given, isToBeClaimed: true }, one, element);
    expect(combine(request([grants, layer, same], { isApproved })).answer.allow).toBe(true);
    const { holds } = combine(request([grants, layer, other], { isApproved }));
    expect(holds.map(({ layer: { name } }) => name)).toEqual(["compliance~canary"]);
  });

  it("holds what somebody grants, and nothing else", () => {
    expect(combine(request([grants, canary(held())])).answer.effect).toBe("hold");
    const { answer } = combine(request([says("server", {}), canary(held())]));
    expect(answer).toMatchObject({ effect: "deny", reasons: ["no_rule_allows"] });
  });

  it("is done once where its layer wants the same, and after it", () => {
    const redact = { id: "r", type: "redact", properties: { kinds: ["email"] } };
    const cut = { id: "t", type: "truncate", properties: { max_bytes: 10 } };
    const first = canary(says("compliance", { obligations: [cut, { ...redact, id: "other" }] }));
    const layer = says("compliance", { obligations: [redact] });
    expect(obligationsOf([first, layer])).toEqual([redact, cut]);
  });

  it("comes after what the layers say, so that an answer names the layer first", () => {
    const refuses = (rule: string): LayerVerdict => says("compliance", { deny: [match(rule)] });
    const first = canary(says("identity", { deny: [match("a.first")] }));
    const { answer } = combine(request([first, grants, refuses("z.last")]));
    expect(answer.reasons).toEqual(["z.last", "a.first"]);
    expect(answer.metadata.policy_version).toBe("compliance-1");
    expect(answer.metadata.bundles).toMatchObject({ "identity~canary": { revision: "2" } });
  });
});
