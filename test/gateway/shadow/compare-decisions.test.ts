/**
 * What the difference between two decisions is called, the weightiest first.
 */
import { describe, expect, test } from "vitest";
import type { LayerOutput, LayerVerdict } from "../../../src/contract/layer.ts";
import type { ComparedDecision } from "../../../src/gateway/shadow/compare-decisions.ts";
import { compareDecisions } from "../../../src/gateway/shadow/compare-decisions.ts";
import { combine } from "../../../src/policy/combine.ts";
import type { CombineRequest } from "../../../src/policy/combine.ts";
import { approval, fails, match, request, says } from "../../policy/combine/verdicts.ts";

const redaction = { id: "hide-it", type: "redact", properties: {} };

/** The decision of a server that grants, and of a compliance layer that says this. */
function decided(
  said: Partial<LayerOutput> | LayerVerdict,
  more: Partial<Pick<ComparedDecision, "brings" | "policyMs">> & Partial<CombineRequest> = {},
): ComparedDecision {
  const { brings = { dataClasses: [], labels: [] }, policyMs = 1, ...rest } = more;
  const compliance = "layer" in said ? said : says("compliance", said);
  const verdicts = [says("server", { allow: [match("granted")] }), compliance];
  return {
    combined: combine(request(verdicts, { canFulfil: () => true, ...rest })),
    verdicts,
    brings,
    policyMs,
  };
}

function difference(was: ComparedDecision, would: ComparedDecision) {
  return compareDecisions({ layer: "compliance", was, would, deadlineMs: 100 }).difference;
}

const allowed = decided({});
const denied = decided({ deny: [match("no_export")] });
const held = decided({ requireApproval: [approval("ask")] });

describe("the effect", () => {
  test.each([
    ["newly_denied", allowed, denied],
    ["newly_denied", held, denied],
    ["newly_allowed", denied, allowed],
    ["now_held", allowed, held],
    ["now_held", denied, held],
    ["no_longer_held", held, allowed],
  ])("makes it %s", (expected, was, would) => {
    expect(difference(was, would)).toBe(expected);
  });

  test("of an observed layer counts although nobody enforces it", () => {
    const isObserved = (): boolean => true;
    const observed = decided({ deny: [match("no_export")] }, { isObserved });
    expect(observed.combined.answer.allow).toBe(true);
    expect(difference(allowed, observed)).toBe("newly_denied");
  });
});

describe("with the same effect", () => {
  test("nothing is otherwise where nothing is", () => {
    expect(difference(allowed, decided({}))).toBeUndefined();
    expect(difference(denied, decided({ deny: [match("no_export")] }))).toBeUndefined();
  });

  test("other reasons are a difference", () => {
    expect(difference(denied, decided({ deny: [match("too_late")] }))).toBe("reason_only");
  });

  test("other people to ask are a difference", () => {
    const others = approval("ask", { approvers: ["bob"] });
    expect(difference(held, decided({ requireApproval: [others] }))).toBe("reason_only");
  });

  test("another obligation is a difference, in whatever order they stand", () => {
    const second = { ...redaction, id: "second" };
    expect(difference(allowed, decided({ obligations: [redaction] }))).toBe("obligations_only");
    const one = decided({ obligations: [redaction, second] });
    const other = decided({ obligations: [second, redaction] });
    expect(difference(one, other)).toBeUndefined();
  });

  test("another obligation of what is denied is none", () => {
    const dutiful = decided({ deny: [match("no_export")], obligations: [redaction] });
    expect(difference(denied, dutiful)).toBeUndefined();
  });

  test("other labels are a difference", () => {
    const brings = { dataClasses: [], labels: ["secret"] };
    expect(difference(allowed, decided({}, { brings }))).toBe("labels_only");
  });

  test("more than half of the deadline is slower, unless it was before", () => {
    expect(difference(allowed, decided({}, { policyMs: 51 }))).toBe("slower");
    expect(difference(allowed, decided({}, { policyMs: 50 }))).toBeUndefined();
    const slow = decided({}, { policyMs: 60 });
    expect(difference(slow, decided({}, { policyMs: 90 }))).toBeUndefined();
  });
});

describe("a shadow that gives no answer", () => {
  const failed = decided(fails("compliance", "policy_timeout"));

  test("is an error with its code, whatever the effect", () => {
    const about = { layer: "compliance", would: failed, deadlineMs: 100 };
    const comparison = compareDecisions({ ...about, was: allowed });
    expect(comparison).toMatchObject({ difference: "error", code: "policy_timeout" });
    expect(difference(denied, failed)).toBe("error");
  });

  test("has no message in the comparison", () => {
    const about = { layer: "compliance", was: allowed, would: failed, deadlineMs: 100 };
    expect(JSON.stringify(compareDecisions(about))).not.toContain("for the operator only");
  });

  test("is not blamed for the failure of another layer", () => {
    expect(difference(allowed, decided(fails("workflow")))).toBe("newly_denied");
  });
});
