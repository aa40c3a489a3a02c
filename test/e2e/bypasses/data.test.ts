/**
 * B28: a bundle whose data takes the place of its own rules, or of what is not its own.
 */
import { afterAll, describe, expect, test } from "vitest";
import type { Json } from "../../../src/contract/json.ts";
import { createRegoToolchain } from "../../../src/rego/create-rego-toolchain.ts";
import { callOf } from "../../rego/policies.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

const denies = {
  "p.rego": 'package p\n\ndeny contains "no" if input.action.tool == "get_customer"\n',
};

/** The codes of what is wrong, or what such a policy decides of a call that it denies. */
async function decide(data: Readonly<Record<string, Json>>, roots: readonly string[]) {
  const manifest = { revision: "1", roots: [...roots], metadata: { name: "p" } };
  const sources = { modules: denies, data, manifest };
  const built = await toolchain.build(sources);
  if (!built.ok) return built.problems.map(({ code }) => code);
  const input = callOf("get_customer");
  const decided = await toolchain.eval({ ...sources, input, query: "data.p.decision" });
  return decided.ok ? decided.value.value : [];
}

describe("data", () => {
  test.each([
    ["a rule that there is", { p: { deny: [] } }],
    ["the decision itself", { p: { decision: { allow: true } } }],
  ])("B28 in the place of %s does not compile", async (_, data) => {
    expect(await decide(data, ["p"])).toEqual(["rego_compile_error"]);
    expect(await decide(data, [""])).toEqual(["rego_compile_error"]);
  });

  test("B28 in the place of a rule that there is not grants nothing", async () => {
    expect(await decide({ p: { allow: true } }, ["p"])).toEqual({ deny: ["no"] });
  });

  test.each([
    ["the input", { input: { action: { tool: "other" } } }],
    ["what belongs to the engine", { system: { main: { allow: true } } }],
    ["another bundle", { identity: { capabilities: {} } }],
  ])("B28 in the place of %s is outside the roots, or changes nothing", async (_, data) => {
    expect(await decide(data, ["p"])).toEqual(["manifest_invalid"]);
    expect(await decide(data, [""])).toEqual({ deny: ["no"] });
  });
});
