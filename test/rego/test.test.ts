import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RegoTestReport } from "../../src/rego/answers.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

const policy = `package p

deny contains "a" if input.action.tool == "a"

deny contains "never" if {
	input.action.tool == "b"
	input.action.server == "nowhere"
}
`;

const tests = `package p_test

import data.p

test_passes if "a" in p.deny with input as {"action": {"tool": "a"}}

test_fails if {
	print("looking at", count(p.deny))
	denials := p.deny with input as {"action": {"tool": "c"}}
	"a" in denials
}

test_throws if p.deny with p.deny as conflict

conflict := x if some x in [1, 2]

todo_test_later if false

test_decision_is_there if p.decision.deny == {"a"} with input as {"action": {"tool": "a"}}

test_table[name] if {
	some name, tool in {"one": "a", "two": "z"}
	"a" in p.deny with input as {"action": {"tool": tool}}
}
`;

const sources = { modules: { "p.rego": policy, "p_test.rego": tests } };

async function run(filter?: string): Promise<RegoTestReport> {
  const asked = filter === undefined ? sources : { ...sources, filter };
  const result = await toolchain.test(asked);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

describe("a test run", () => {
  let report: RegoTestReport;
  beforeAll(async () => {
    report = await run();
  });

  test("has every test with its outcome, in the order of the source", () => {
    expect(report.tests.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      "test_passes pass",
      "test_fails fail",
      "test_throws error",
      "todo_test_later skip",
      "test_decision_is_there pass",
      "test_table fail",
    ]);
  });

  test("says where each test is and which expression was false", () => {
    const failed = report.tests.find(({ name }) => name === "test_fails");
    expect(failed).toMatchObject({
      package: "p_test",
      file: "p_test.rego",
      row: 7,
      failed_at: { file: "p_test.rego", row: 10, col: 2, text: '"a" in denials' },
    });
  });

  test("has what a test printed", () => {
    expect(report.tests.find(({ name }) => name === "test_fails")?.output).toBe("looking at 0\n");
  });

  test("has the error of a test that throws", () => {
    expect(report.tests.find(({ name }) => name === "test_throws")?.error).toContain(
      "rule data.p_test.conflict produced conflicting values",
    );
  });

  test("tells the cases of a table apart", () => {
    expect(report.tests.find(({ name }) => name === "test_table")?.cases).toEqual([
      { name: "one", outcome: "pass" },
      { name: "two", outcome: "fail" },
    ]);
  });

  test("measures which lines of the policy were reached, and of nothing else", () => {
    expect(Object.keys(report.coverage.files)).toEqual(["p.rego"]);
    expect(report.coverage.percent).toBeGreaterThan(0);
    expect(report.coverage.percent).toBeLessThan(100);
    const missed = report.coverage.files["p.rego"]?.not_covered.map(({ first }) => first);
    expect(missed).toContain(7);
    expect(missed).not.toContain(3);
  });
});

test("a filter chooses tests by their full name", async () => {
  const { tests: chosen } = await run("^data\\.p_test\\.test_pass");
  expect(chosen.map(({ name }) => name)).toEqual(["test_passes"]);
});

test("a filter that is no regular expression is a problem", async () => {
  const result = await toolchain.test({ ...sources, filter: "(" });
  expect(result.ok ? "" : result.problems[0]?.message).toContain("missing closing )");
});
