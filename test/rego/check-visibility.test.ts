import { afterAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/contract/json.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { problemText } from "../../src/rego/problem-text.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

async function problemsOf(modules: Record<string, string>, metadata: JsonObject = {}) {
  const result = await toolchain.check({ modules, manifest: { metadata } });
  return result.ok ? [] : result.problems.map((problem) => problemText(problem));
}

const rule = (body: string) => `package p\n\n${body}\n`;

describe("hide and capabilities look at the list-phase input only", () => {
  test.each([
    "input.action.args.id == 1",
    "input.context.turn_count == 1",
    'input.agent.client.name == "x"',
    'input.environment.time == "x"',
    "input.usage.calls.used == 1",
    "input.approval.a == 1",
    'input.action[_] == "x"',
    'object.get(input.action, "args", {}) == {}',
    "walk(input, [_, 1])",
    "time.now_ns() == 1",
    "indirect",
    "indirect_function(1)",
  ])("%s is refused", async (body) => {
    const text = rule(
      `hide contains 1 if ${body}\n\nindirect if input.result.is_error\n\nindirect_function(x) if input.denials[x].code == "a"`,
    );
    const problems = await problemsOf({ "p.rego": text });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^p\.rego:[357]:\d+: hide .*\[contract_visibility\]/);
  });

  test("capabilities are held to the same", async () => {
    const text = rule('capabilities := {"servers": ["crm"]} if input.context.turn_count == 1');
    const [first] = await problemsOf({ "p.rego": text }, { layer: "identity" });
    expect(first).toContain("capabilities may look only at what is known when tools are listed");
  });

  test("agent, user, action and place are there", async () => {
    const text = rule(
      'hide contains 1 if {\n\tinput.agent.scope == "a"\n\t"b" in input.user.groups\n\tinput.action.tool == "c"\n\tinput.action.annotations.destructiveHint\n\tinput.environment.is_production\n}',
    );
    expect(await problemsOf({ "p.rego": text })).toEqual([]);
  });

  test("other rules may look at everything", async () => {
    expect(
      await problemsOf({ "p.rego": rule("deny contains 1 if input.action.args.id == 1") }),
    ).toEqual([]);
  });
});
