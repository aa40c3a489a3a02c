/**
 * What `policy check` says of METADATA is what the gateway says when the rule matches.
 */
import { afterAll, expect, test } from "vitest";
import type { Json, JsonObject } from "../../src/contract/json.ts";
import { gatewayCodes } from "../../src/contract/layer.ts";
import { actionTypes } from "../../src/contract/policy-input.ts";
import { readApprovalRequest } from "../../src/policy/engine/read-rule-match.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { problemText } from "../../src/rego/problem-text.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

const rule = 'contains {"rule": rego.metadata.rule()} if input.action.tool == "x"';

async function problemsOf(custom: JsonObject, name = "allow"): Promise<readonly string[]> {
  const text = `package p\n\n# METADATA\n# custom: ${JSON.stringify(custom)}\n${name} ${rule}\n`;
  const result = await toolchain.check({ modules: { "p.rego": text } });
  return result.ok ? [] : result.problems.map((problem) => problemText(problem));
}

test.each(actionTypes)("action type %s may be granted", async (type) => {
  expect(await problemsOf({ actions: [type] })).toEqual([]);
});

test.each([
  ["resource_reed", "resource_read"],
  ["prompts_get", "prompt_get"],
  ["ellicitation", "elicitation"],
  ["tool_cal", "tool_call"],
])("the action type %s is refused and %s is proposed", async (wrong, meant) => {
  const [first = "", ...more] = await problemsOf({ actions: ["tool_call", wrong] });
  expect(first).toContain(
    `p.rego:5:1: METADATA of allow: custom.actions: expected ${actionTypes.join(", ")}, found "${wrong}"`,
  );
  expect(first).toContain(`did you mean ${meant}? [contract_metadata]`);
  expect(more).toEqual([]);
});

test("an action type that is like no other is refused too", async () => {
  const [first] = await problemsOf({ actions: ["everything"] });
  expect(first).toMatch(/roots_list, found "everything" \[contract_metadata\]$/);
});

const values: readonly Json[] = [
  null,
  true,
  0,
  -1,
  60,
  "",
  "text",
  [],
  ["tool_call"],
  [""],
  [1],
  [["tool_call"]],
  {},
];
const names = [
  "id",
  "code",
  "severity",
  "remediation",
  "appeal",
  "owner",
  "alternatives",
  "actions",
  "approvers",
  "channels",
  "overridable",
  "audit",
  "disclose",
  "ttl_seconds",
];

function isReadAtRunTime(custom: JsonObject): boolean {
  try {
    readApprovalRequest({ rule: { custom } }, "require_approval[0]", "p.require_approval");
    return true;
  } catch {
    return false;
  }
}

test.each(names)("custom.%s is refused for the types that a call would fail with", async (name) => {
  const verdicts: boolean[] = [];
  for (const value of values) {
    const isTaken = (await problemsOf({ [name]: value }, "require_approval")).length === 0;
    expect([value, isTaken]).toEqual([value, isReadAtRunTime({ [name]: value })]);
    verdicts.push(isTaken);
  }
  expect(new Set(verdicts).size).toBe(2);
});

test.each(gatewayCodes)("the gateway's code %s is nobody else's", async (code) => {
  expect(await problemsOf({ code }, "deny")).toHaveLength(1);
  expect(await problemsOf({ id: code }, "deny")).toHaveLength(1);
  expect(await problemsOf({ id: code, code: "own" }, "deny")).toEqual([]);
});

test("an id of the gateway's own rules is refused", async () => {
  expect(await problemsOf({ id: "gateway.mine", code: "own" })).toEqual([
    expect.stringContaining("custom.id: expected a name of the policy's own, found the gateway's"),
  ]);
});

test.each([
  ["action", "actions"],
  ["alternative", "alternatives"],
  ["overidable", "overridable"],
  ["disclosed", "disclose"],
  ["remedation", "remediation"],
])("custom.%s is refused and %s is proposed", async (wrong, meant) => {
  expect(await problemsOf({ [wrong]: ["x"] })).toEqual([
    `p.rego:5:1: METADATA of allow: custom.${wrong}: means nothing to the gateway; did you mean ${meant}? [contract_metadata]`,
  ]);
});

test("members of the author's own are nobody's business", async () => {
  expect(await problemsOf({ jira: 17, reviewed_by: null, control: { nist: "AC-3" } })).toEqual([]);
});

test("a problem has the line of its member, and every one is told", async () => {
  const text = [
    "package p",
    "",
    "# METADATA",
    "# title: Everybody reads",
    "# custom:",
    "#   id: p.read",
    "#   severity: [high]",
    "#   actions: [resource_reed, prompt_got]",
    `allow ${rule}`,
  ].join("\n");
  const result = await toolchain.check({ modules: { "p.rego": text } });
  const places = result.ok ? [] : result.problems.map(({ row, code }) => [row, code]);
  expect(places).toEqual([
    [8, "contract_metadata"],
    [8, "contract_metadata"],
    [7, "contract_metadata"],
  ]);
});

test("only the policy's own rules are asked; a test and a function may say what they like", async () => {
  const custom = "# METADATA\n# custom: {actions: [everything], id: 7}\n";
  const own = `allow ${rule}\n\n${custom}helper if true\n`;
  const result = await toolchain.check({
    modules: {
      "p.rego": `package p\n\n${own}`,
      "p_test.rego": `package p_test\n\n${custom}test_x if count(data.p.allow) == 0\n`,
    },
  });
  expect(result.ok ? [] : result.problems).toEqual([]);
});

test("a bundle is not built of what check refuses", async () => {
  const text = `package p\n\n# METADATA\n# custom: {actions: [all]}\nallow ${rule}\n`;
  const built = await toolchain.build({ modules: { "p.rego": text } });
  expect(built).toMatchObject({ ok: false, problems: [{ code: "contract_metadata" }] });
});
