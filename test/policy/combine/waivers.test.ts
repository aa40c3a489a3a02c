import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Waiver } from "../../../src/contract/layer.ts";
import { combine } from "../../../src/policy/combine.ts";
import type { CombineRequest } from "../../../src/policy/combine.ts";
import { anyVerdicts, grants, match, request, says, waiver } from "./verdicts.ts";

const denying = says("compliance", { deny: [match("c.deny", { overridable: true })] });
const decide = (waive: readonly Waiver[], part: Partial<CombineRequest> = {}) =>
  combine(request([grants, denying, says("overrides", { waive })], part));

describe("a waiver that is not whole", () => {
  const broken = waiver({ problem: "waive[0].expires: expected a moment" });

  it("lifts nothing, and is named with what is wrong with it", () => {
    const decision = decide([broken]);
    expect(decision.answer).toMatchObject({ effect: "deny", reasons: ["c.deny"] });
    expect(decision).toMatchObject({ usedWaivers: [], expiredWaivers: [], voidWaivers: [broken] });
  });

  it("does not keep a whole one beside it from counting", () => {
    const decision = decide([broken, waiver({ ticket: "T-1" })]);
    expect(decision.answer.allow).toBe(true);
    expect(decision).toMatchObject({ usedWaivers: [{ ticket: "T-1" }], voidWaivers: [broken] });
  });

  it("is no expired one, whatever its end is", () => {
    const late = { ...broken, expires: "1999-01-01T00:00:00Z" };
    expect(decide([late])).toMatchObject({ expiredWaivers: [], voidWaivers: [late] });
  });
});

describe("more waivers in force than the operator wants", () => {
  const other = (rule: string) => waiver({ rule });
  const cap = { maxWaivers: 2 };

  it("lift nothing beyond that number, and say so", () => {
    const decision = decide([other("a"), other("b"), waiver()], cap);
    expect(decision.answer.effect).toBe("deny");
    expect(decision.usedWaivers).toEqual([]);
    expect(decision.voidWaivers).toMatchObject([{ rule: "c.deny" }]);
    expect(decision.voidWaivers[0]?.problem).toContain("at most 2 waivers in force");
  });

  it("count up to it, and those that have run out or are broken are not counted", () => {
    const late = waiver({ rule: "a", expires: "2020-01-01T00:00:00Z" });
    const broken = waiver({ rule: "b", problem: "waive[1]: expected an object" });
    const decision = decide([late, broken, other("d"), waiver()], cap);
    expect(decision.answer.allow).toBe(true);
    expect(decision.usedWaivers).toEqual([waiver()]);
  });

  it("are none where the operator wants none", () => {
    expect(decide([waiver()], { maxWaivers: 0 }).answer.effect).toBe("deny");
    expect(decide([waiver()]).answer.effect).toBe("allow");
  });

  it("never allow what fewer do not", () => {
    fc.assert(
      fc.property(anyVerdicts, fc.nat(3), (verdicts, maxWaivers) => {
        const capped = combine(request(verdicts, { maxWaivers }));
        fc.pre(capped.answer.allow);
        expect(capped.usedWaivers.length).toBeLessThanOrEqual(maxWaivers);
        expect(combine(request(verdicts)).answer.allow).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
