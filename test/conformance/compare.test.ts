/**
 * The comparison behind `npm run conformance`: it must not call a difference equal, and must not
 * blame the gateway for what the fixture cannot do.
 */
import { describe, expect, test } from "vitest";
import { compareRuns, offences, verdictOf } from "../../scripts/conformance/compare.js";

function check(scenario: string, id: string, status: string) {
  return { scenario, id, name: id, status, message: "" };
}

function offencesOf(direct: string | undefined, gateway: string | undefined, onlyWorse = false) {
  const one = (status: string | undefined) =>
    status === undefined ? [] : [check("ping", "ping-answers", status)];
  const comparison = compareRuns({
    direct: one(direct),
    gateway: one(gateway),
    scored: ["ping"],
  });
  return offences(comparison, { onlyWorse }).map(({ change }) => change);
}

describe("a scored scenario", () => {
  test("gives no offence where every check says the same", () => {
    expect(offencesOf("SUCCESS", "SUCCESS")).toEqual([]);
    expect(offencesOf("FAILURE", "FAILURE")).toEqual([]);
  });

  test("gives one for a check that fails, warns or is missing through the gateway alone", () => {
    expect(offencesOf("SUCCESS", "FAILURE")).toEqual(["worse"]);
    expect(offencesOf("SUCCESS", "WARNING")).toEqual(["worse"]);
    expect(offencesOf("SUCCESS", undefined)).toEqual(["worse"]);
    expect(offencesOf(undefined, "FAILURE")).toEqual(["worse"]);
  });

  test("gives one for a check that became a note", () => {
    expect(offencesOf("SUCCESS", "INFO")).toEqual(["other"]);
    expect(offencesOf("SUCCESS", "SKIPPED")).toEqual(["other"]);
  });

  test("gives one for a check that became better where the fixture is able", () => {
    expect(offencesOf("FAILURE", "SUCCESS")).toEqual(["better"]);
  });
});

describe("a scenario that the fixture cannot do", () => {
  test("may become better", () => {
    expect(offencesOf("FAILURE", "SUCCESS", true)).toEqual([]);
    expect(offencesOf("FAILURE", undefined, true)).toEqual([]);
  });

  test("may have checks that direct runs never came to", () => {
    expect(offencesOf(undefined, "FAILURE", true)).toEqual([]);
  });

  test("must not lose what was right", () => {
    expect(offencesOf("SUCCESS", "FAILURE", true)).toEqual(["worse"]);
    expect(offencesOf("SUCCESS", undefined, true)).toEqual(["worse"]);
  });
});

describe("a scenario that is not scored", () => {
  const through = (status: string) => {
    const direct = [check("tasks-lifecycle", "a", "SUCCESS")];
    const gateway = [check("tasks-lifecycle", "a", status)];
    return offences(compareRuns({ direct, gateway, scored: [] }), { onlyWorse: false }).length;
  };

  test("gives an offence only for a new failure", () => {
    expect(through("FAILURE")).toBe(1);
    expect(through("INFO")).toBe(0);
  });
});

test("notes in the stream-resumption scenario are allowed, failures are not", () => {
  const difference = (status: string) =>
    offences(
      compareRuns({
        direct: [check("server-sse-polling", "resume", "SUCCESS")],
        gateway: [check("server-sse-polling", "resume", status)],
        scored: ["server-sse-polling"],
      }),
      { onlyWorse: false },
    ).length;
  expect(difference("INFO")).toBe(0);
  expect(difference("FAILURE")).toBe(1);
});

test("of a check that is made several times the worst counts", () => {
  const direct = [check("ping", "a", "SUCCESS"), check("ping", "a", "SUCCESS")];
  const gateway = [check("ping", "a", "FAILURE"), check("ping", "a", "SUCCESS")];
  const comparison = compareRuns({ direct, gateway, scored: ["ping"] });
  expect(offences(comparison, { onlyWorse: false })).toHaveLength(1);
});

test("a verdict counts successes, failures and warnings of its scenario alone", () => {
  const checks = [
    check("ping", "a", "SUCCESS"),
    check("ping", "b", "WARNING"),
    check("tools-list", "c", "FAILURE"),
  ];
  expect(verdictOf(checks, "ping")).toBe("pass 1/0 1w");
  expect(verdictOf(checks, "tools-list")).toBe("fail 0/1");
  expect(verdictOf(checks, "caching")).toBe("absent");
});
