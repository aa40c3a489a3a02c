import { afterAll, expect, test } from "vitest";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { callOf, crmPolicy, crmSources, crmTests } from "./policies.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

test("the decision is asked where no query is said", async () => {
  const result = await toolchain.eval({ ...crmSources, input: callOf("get_customer") });
  expect(result).toMatchObject({
    ok: true,
    value: { defined: true, query: "data.mcp.crm.decision", value: { deny: [], hide: [] } },
  });
});

test("an undefined value is told from null", async () => {
  const sources = {
    modules: { "p.rego": "package p\n\ndeny contains 1 if true\n\nnothing := null\n" },
  };
  const asked = (query: string) => toolchain.eval({ ...sources, input: callOf("a"), query });
  expect(await asked("data.p.nothing")).toMatchObject({ value: { defined: true, value: null } });
  expect(await asked("data.p.missing")).toMatchObject({ value: { defined: false } });
});

test("the clock stands at the time of the decision", async () => {
  const text = "package p\n\ndeny contains time.now_ns() if true\n";
  const result = await toolchain.eval({ modules: { "p.rego": text }, input: callOf("a") });
  const nanoseconds = Date.parse("2026-11-22T13:45:00Z") * 1e6;
  expect(result).toMatchObject({ value: { value: { deny: [nanoseconds] } } });
});

test("an error of the evaluation has its place", async () => {
  const text =
    'package p\n\ndeny contains x if true\n\nx := 1 if input.action.tool == "a"\n\nx := 2 if input.action.server == "crm"\n';
  const result = await toolchain.eval({ modules: { "p.rego": text }, input: callOf("a") });
  expect(result.ok ? [] : result.problems).toEqual([
    expect.objectContaining({ code: "eval_conflict_error", file: "p.rego", row: 7, col: 1 }),
  ]);
});

test("a query that cannot be parsed is a problem", async () => {
  const result = await toolchain.eval({ ...crmSources, input: callOf("a"), query: "data.mcp.(" });
  expect(result.ok).toBe(false);
});

test("an inspection has the manifest, the rules with their places, the annotations and the tests", async () => {
  const modules = { "crm.rego": crmPolicy, "crm_test.rego": crmTests };
  const result = await toolchain.inspect({ ...crmSources, modules });
  expect(result).toMatchObject({
    ok: true,
    value: {
      package: "mcp.crm",
      packages: ["mcp.crm"],
      manifest: { revision: "1.4.7", roots: ["mcp/crm"], metadata: { name: "crm" } },
      definitions: [
        { rule: "allow", file: "crm.rego", row: 6, col: 1 },
        { rule: "deny", row: 15 },
        { rule: "hide", row: 19 },
        { rule: "data_classes", row: 21 },
      ],
      annotations: [
        {
          path: "mcp.crm.allow",
          file: "crm.rego",
          row: 6,
          annotations: { title: "Support reads customers", custom: { id: "CRM-A1" } },
        },
        { path: "mcp.crm.deny", annotations: { custom: { code: "export_forbidden" } } },
      ],
      tests: ["mcp.crm_test.test_export_is_refused", "mcp.crm_test.test_support_reads"],
    },
  });
});
