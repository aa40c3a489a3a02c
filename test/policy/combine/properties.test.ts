import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layerKinds } from "../../../src/contract/bundle.ts";
import type { LayerVerdict } from "../../../src/contract/layer.ts";
import { combine } from "../../../src/policy/combine.ts";
import type { CombinedDecision } from "../../../src/policy/combine.ts";
import {
  anyVerdict,
  anyVerdicts,
  fails,
  grants,
  match,
  nowMs,
  request,
  says,
  waiver,
  waivers,
} from "./verdicts.ts";

const numRuns = 2000;
const known = { canFulfil: ({ type }: { readonly type: string }) => type === "redact" };
const decide = (verdicts: readonly LayerVerdict[]): CombinedDecision =>
  combine(request(verdicts, known));
const effectOf = (verdicts: readonly LayerVerdict[]): string => decide(verdicts).answer.effect;

function withoutWaivers(verdict: LayerVerdict): LayerVerdict {
  if (!verdict.ok) return verdict;
  return { ...verdict, output: { ...verdict.output, waive: [] } };
}

/** Another server's bundle is never asked, so an added layer is one of the organisation's. */
function isOrganisation({ layer }: LayerVerdict): boolean {
  return layer.kind !== "server";
}

describe("combining, whatever the layers say", () => {
  it("never lets an added layer without waivers turn a denial or a hold into an allow", () => {
    const added = anyVerdict.filter(isOrganisation).map(withoutWaivers);
    fc.assert(
      fc.property(anyVerdicts, added, fc.nat(6), (verdicts, layer, place) => {
        fc.pre(effectOf(verdicts) !== "allow");
        expect(effectOf(verdicts.toSpliced(place, 0, layer))).not.toBe("allow");
      }),
      { numRuns },
    );
  });

  it("lets an added layer turn a denial into an allow by a valid waiver and by nothing else", () => {
    const denial = fc
      .record({
        kind: fc.constantFrom("workflow", "compliance"),
        rule: fc.constantFrom("a.one", "c.deny"),
        overridable: fc.boolean(),
      })
      .map(({ kind, rule, overridable }) => says(kind, { deny: [match(rule, { overridable })] }));
    const added = fc.oneof(
      anyVerdict.filter(isOrganisation),
      fc
        .tuple(fc.constantFrom(...layerKinds), waivers)
        .map(([kind, waive]) => says(kind, { waive })),
    );
    let turned = 0;
    fc.assert(
      fc.property(denial, added, fc.nat(2), (denying, layer, place) => {
        const before = [grants, denying];
        const { answer, usedWaivers } = decide(before.toSpliced(place, 0, layer));
        if (!answer.allow) return;
        turned += 1;
        expect(layer.layer.kind).toBe("overrides");
        const [denied] = decide(before).denials;
        expect(denied?.match.overridable).toBe(true);
        expect(usedWaivers.length).toBeGreaterThan(0);
        for (const used of usedWaivers) {
          expect(used).toMatchObject({ bundle: denied?.layer.name, rule: denied?.match.rule });
          expect(used.justification.trim()).not.toBe("");
          expect(Date.parse(used.expires)).toBeGreaterThan(nowMs);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(turned).toBeGreaterThan(0);
  });

  it("never lifts a denial that it does not name a used waiver for", () => {
    fc.assert(
      fc.property(anyVerdicts, (verdicts) => {
        const decision = decide(verdicts);
        fc.pre(decision.answer.allow && decision.usedWaivers.length === 0);
        const denied = verdicts.some((verdict) => !verdict.ok || verdict.output.deny.length > 0);
        expect(denied).toBe(false);
      }),
      { numRuns },
    );
  });

  it("denies whenever a layer failed", () => {
    const failure = fc.constantFrom("policy_error", "policy_timeout", "no_decision", "no_policy");
    fc.assert(
      fc.property(
        anyVerdicts,
        fc.constantFrom(...layerKinds),
        failure,
        fc.nat(6),
        (verdicts, kind, code, place) => {
          expect(effectOf(verdicts.toSpliced(place, 0, fails(kind, code)))).toBe("deny");
        },
      ),
      { numRuns },
    );
  });

  it("allows only what the server's own bundle grants", () => {
    fc.assert(
      fc.property(anyVerdicts, (verdicts) => {
        const granted = verdicts.some(
          (verdict) =>
            verdict.ok && verdict.layer.kind === "server" && verdict.output.allow.length > 0,
        );
        fc.pre(!granted);
        expect(effectOf(verdicts)).not.toBe("allow");
      }),
      { numRuns },
    );
  });

  it("answers the same effect in whatever order the layers come", () => {
    fc.assert(
      fc.property(anyVerdicts, fc.func(fc.integer()), (verdicts, rank) => {
        const shuffled = verdicts
          .map((verdict, place) => ({ verdict, rank: rank(place) }))
          .toSorted((left, right) => left.rank - right.rank)
          .map(({ verdict }) => verdict);
        expect(effectOf(shuffled)).toBe(effectOf(verdicts));
        expect(decide(shuffled).hidden).toBe(decide(verdicts).hidden);
      }),
      { numRuns },
    );
  });

  it("hides what any layer hides, whatever else is said", () => {
    fc.assert(
      fc.property(anyVerdicts, (verdicts) => {
        const hides = verdicts.some((verdict) => verdict.ok && verdict.output.hide.length > 0);
        fc.pre(hides);
        expect(decide(verdicts)).toMatchObject({ hidden: true, answer: { effect: "deny" } });
      }),
      { numRuns },
    );
  });

  it("is lifted by no waiver that has run out, and says which ones have", () => {
    const expired = fc
      .constantFrom("2026-11-22T12:00:00Z", "2026-11-22T13:00:00+01:00", "1999-01-01T00:00:00Z")
      .map((expires) => waiver({ expires }));
    const denial = says("compliance", { deny: [match("c.deny", { overridable: true })] });
    fc.assert(
      fc.property(anyVerdicts, expired, (verdicts, late) => {
        const overrides = says("overrides", { waive: [late] });
        const decision = decide([...verdicts.map(withoutWaivers), denial, overrides]);
        expect(decision.answer.effect).toBe("deny");
        expect(decision.usedWaivers).toEqual([]);
        expect(decision.expiredWaivers).toEqual(decision.hidden ? [] : [late]);
      }),
      { numRuns },
    );
  });

  it("answers allow for some of these cases, so that the properties above say something", () => {
    const effects = fc.sample(anyVerdicts, 2000).map(effectOf);
    expect(new Set(effects)).toEqual(new Set(["allow", "deny", "hold"]));
    expect(effectOf([grants])).toBe("allow");
  });
});
