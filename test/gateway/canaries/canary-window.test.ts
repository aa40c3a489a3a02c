import { describe, expect, test } from "vitest";
import type { CanaryEvaluation } from "../../../src/gateway/canaries/canary-window.ts";
import { CanaryWindow } from "../../../src/gateway/canaries/canary-window.ts";

const limits = {
  deniedPrincipalsPercent: 20,
  errorPercent: 1,
  latencyMs: 50,
  minPrincipals: 5,
  minEvaluations: 100,
  windowMs: 900_000,
};

const fine: Omit<CanaryEvaluation, "token"> = { isDenied: false, isFailed: false, evalMs: 1 };
const denied = { ...fine, isDenied: true };
const failed = { ...fine, isFailed: true };
const slow = { ...fine, evalMs: 51 };

function open(part: Partial<typeof limits> = {}) {
  const window = new CanaryWindow({ ...limits, ...part });
  /** So many evaluations of each of these; what the last one came to. */
  const add = (
    tokens: readonly string[],
    evaluation: Omit<CanaryEvaluation, "token">,
    { times = 1, atMs = 0 } = {},
  ): string | undefined => {
    let problem: string | undefined;
    for (let turn = 0; turn < times; turn += 1) {
      for (const token of tokens) problem = window.add({ token, ...evaluation }, atMs);
    }
    return problem;
  };
  return add;
}

const people = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, at) => `p${from + at}`);

describe("denials", () => {
  test("end a canary by the share of principals, not of calls", () => {
    const add = open();
    expect(add(people(0, 10), fine)).toBeUndefined();
    expect(add(["p0"], denied, { times: 1000 })).toBeUndefined();
    expect(add(["p1"], denied)).toBeUndefined();
    expect(add(["p2"], denied)).toBe("3 of 10 principals were denied because of it (limit 20 %)");
  });

  test("say nothing before enough principals were seen", () => {
    const add = open();
    expect(add(people(0, 4), denied, { times: 100 })).toBeUndefined();
    expect(add(["p4"], fine)).toContain("4 of 5 principals");
  });

  test("of one principal alone never end it, however low the limit is", () => {
    const add = open({ deniedPrincipalsPercent: 0.01, minPrincipals: 2 });
    expect(add(["p1"], fine)).toBeUndefined();
    expect(add(["p0"], denied, { times: 100 })).toBeUndefined();
    expect(add(["p1"], denied)).toContain("2 of 2 principals");
  });

  test("of everybody are no reason where the limit is 100", () => {
    const add = open({ deniedPrincipalsPercent: 100 });
    expect(add(people(0, 20), denied, { times: 3 })).toBeUndefined();
  });
});

describe("failures", () => {
  test("end a canary by their share of the evaluations", () => {
    const add = open({ deniedPrincipalsPercent: 100 });
    expect(add(people(0, 10), fine, { times: 20 })).toBeUndefined();
    expect(add(["p0"], failed)).toBeUndefined();
    expect(add(["p1"], failed)).toBeUndefined();
    expect(add(["p2"], failed)).toBe("3 of 203 evaluations failed (limit 1 %)");
  });

  test("say nothing before enough evaluations were seen", () => {
    const add = open({ deniedPrincipalsPercent: 100 });
    expect(add(people(0, 9), failed, { times: 11 })).toBeUndefined();
    expect(add(["p0"], failed)).toContain("100 of 100 evaluations failed");
  });

  test("of one principal alone never end it", () => {
    const add = open({ deniedPrincipalsPercent: 100 });
    add(people(0, 10), fine);
    expect(add(["p0"], failed, { times: 1000 })).toBeUndefined();
    expect(add(["p1"], failed)).toContain("1001 of 1011 evaluations failed");
  });
});

describe("slowness", () => {
  test("ends a canary when more than a twentieth takes longer than the limit", () => {
    const add = open();
    add(people(0, 10), fine, { times: 10 });
    expect(add(people(0, 5), slow)).toBeUndefined();
    expect(add(["p5"], slow)).toBe("6 of 106 evaluations took more than 50 ms (limit 5 %)");
  });

  test("of one principal alone never ends it, nor does a time that nobody measured", () => {
    const add = open();
    add(people(0, 10), { ...fine, evalMs: undefined }, { times: 10 });
    expect(add(["p0"], slow, { times: 100 })).toBeUndefined();
  });

  test("of exactly the limit is none", () => {
    const add = open();
    expect(add(people(0, 10), { ...fine, evalMs: 50 }, { times: 20 })).toBeUndefined();
  });
});

describe("the window", () => {
  test("forgets what is over, principals and denials alike", () => {
    const add = open();
    add(people(0, 4), denied);
    expect(add(people(4, 10), fine, { atMs: 900_000 })).toBeUndefined();
    expect(add(["p10"], denied, { atMs: 900_000 })).toBeUndefined();
    expect(add(["p11", "p12"], denied, { atMs: 950_000 })).toContain("3 of 9 principals");
  });

  test("keeps what is not over, whoever else came in the same minute", () => {
    const add = open({ minPrincipals: 3 });
    add(["p0", "p1"], denied);
    add(["p0"], fine, { atMs: 450_000 });
    expect(add(["p2"], fine, { atMs: 899_999 })).toContain("2 of 3 principals");
    // The denials of both are over, and with them one of the two.
    expect(add(["p3"], fine, { atMs: 900_001 })).toBeUndefined();
  });

  test("holds so many principals and no more", () => {
    const add = open({ minPrincipals: 1000 });
    add(people(0, 10_000), fine);
    expect(add(people(10_000, 20_000), denied)).toBeUndefined();
    expect(add(people(0, 2000), denied)).toBeUndefined();
    expect(add(["p2000"], denied)).toContain("2001 of 10000 principals");
  });
});
