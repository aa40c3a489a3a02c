import { afterAll, describe, expect, test } from "vitest";
import { refusedBuiltins } from "../../src/contract/host-builtins.ts";
import type { JsonObject } from "../../src/contract/json.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { problemText } from "../../src/rego/problem-text.ts";
import { crmPolicy, crmSources, crmTests } from "./policies.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

async function problemsOf(modules: Record<string, string>, metadata: JsonObject = {}) {
  const result = await toolchain.check({ modules, manifest: { metadata } });
  return result.ok ? [] : result.problems.map((problem) => problemText(problem));
}

const rule = (body: string) => `package p\n\n${body}\n`;

test("a policy that is in order says what it defines and needs", async () => {
  const modules = { "crm.rego": crmPolicy, "crm_test.rego": crmTests };
  const result = await toolchain.check({ ...crmSources, modules });
  expect(result).toEqual({
    ok: true,
    value: {
      package: "mcp.crm",
      layer: "server",
      rules: ["allow", "deny", "hide", "data_classes"],
      entrypoints: ["mcp/crm/classify", "mcp/crm/visibility", "mcp/crm/decision"],
      required_builtins: [],
    },
  });
});

test("host builtins that a policy calls are listed", async () => {
  const text = rule('deny contains sprintf("%d", [time.now_ns()]) if input.action.tool == "x"');
  const result = await toolchain.check({ modules: { "p.rego": text } });
  expect(result.ok && result.value.required_builtins).toEqual(["sprintf", "time.now_ns"]);
});

describe("a problem has its file, row and column", () => {
  test("where the syntax is wrong, in every file at once", async () => {
    const problems = await problemsOf({
      "a.rego": rule("deny contains 1 if )"),
      "b.rego": rule("deny contains ] if true"),
    });
    expect(problems.some((text) => text.startsWith("a.rego:3:"))).toBe(true);
    expect(problems.some((text) => text.startsWith("b.rego:3:"))).toBe(true);
  });

  test("where a member of the input does not exist, for each of them", async () => {
    const text = rule(
      'deny contains 1 if input.agnt.id == "x"\n\ndeny contains 2 if input.action.tol == "x"',
    );
    const problems = await problemsOf({ "p.rego": text });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(
      /^p\.rego:3:20: undefined ref: input\.agnt\.id \[rego_type_error\]/,
    );
    expect(problems[0]).toContain('want (one of): ["action" "agent"');
    expect(problems[1]).toMatch(/^p\.rego:5:20: undefined ref: input\.action\.tol/);
  });

  test("where a value has another type", async () => {
    const problems = await problemsOf({
      "p.rego": rule("deny contains 1 if input.action.tool == 1"),
    });
    expect(problems[0]).toMatch(/^p\.rego:3:20: match error/);
  });

  test("where a variable is unused or unsafe", async () => {
    const unused = await problemsOf({ "p.rego": rule("deny contains 1 if { x := 1 }") });
    expect(unused[0]).toMatch(/^p\.rego:3:22: assigned var x unused/);
    const unsafe = await problemsOf({
      "p.rego": rule("deny contains x if not input.action.labels[x]"),
    });
    expect(unsafe[0]).toMatch(/^p\.rego:3:.*unsafe/);
  });

  test("where only a test is wrong", async () => {
    const wrong = crmTests.replace("count(crm.allow)", "cuont(crm.allow)");
    const result = await toolchain.check({
      ...crmSources,
      modules: { "crm.rego": crmPolicy, "crm_test.rego": wrong },
    });
    expect(result.ok ? [] : result.problems.map(({ file, row }) => [file, row])).toEqual([
      ["crm_test.rego", 6],
    ]);
  });
});

test.each(["http.send({})", "opa.runtime()", 'net.lookup_ip_addr("a")'])(
  "a builtin that the gateway will not have is refused by name, with the reason: %s",
  async (call) => {
    const name = call.slice(0, call.indexOf("("));
    const [first] = await problemsOf({ "p.rego": rule(`deny contains 1 if ${call}`) });
    expect(first).toMatch(/^p\.rego:3:20: /);
    expect(first).toContain(
      `builtin ${name} is not available in the gateway; ${refusedBuiltins[name]} [contract_builtin]`,
    );
  },
);

test.each([
  ["denies", "deny"],
  ["denied", "deny"],
  ["Deny", "deny"],
  ["deny_", "deny"],
  ["dney", "deny"],
  ["violation", "deny"],
  ["allowed", "allow"],
  ["allows", "allow"],
  ["require_approvals", "require_approval"],
  ["require_aproval", "require_approval"],
  ["requireApproval", "require_approval"],
  ["obligation", "obligations"],
  ["obligatons", "obligations"],
  ["hidden", "hide"],
  ["data_class", "data_classes"],
  ["dataclasses", "data_classes"],
  ["label", "labels"],
  ["warning", "warn"],
  ["waiver", "waive"],
  ["capability", "capabilities"],
])("a rule named %s fails and %s is proposed", async (name, meant) => {
  const [first] = await problemsOf({
    "p.rego": rule(`deny contains 1 if true\n\n${name} contains 2 if true`),
  });
  expect(first).toMatch(/^p\.rego:5:1: /);
  expect(first).toContain(`did you mean ${meant}? [contract_near_miss]`);
});

test("a name with a suffix as Conftest takes it fails, unless the policy reads it", async () => {
  const dead = rule(
    'deny_export contains 1 if input.action.tool == "x"\n\ndeny contains 2 if true',
  );
  expect((await problemsOf({ "p.rego": dead }))[0]).toContain("rule deny_export is never read");
  const read = rule(
    'deny contains 1 if input.action.tool in deny_list\n\ndeny_list contains "x" if true',
  );
  expect(await problemsOf({ "p.rego": read })).toEqual([]);
});

test("a rule that the policy's own decision does not use fails", async () => {
  const text = rule(`decision := {"allow": input.action.tool == "x"}\n\ndeny contains 1 if true`);
  expect(await problemsOf({ "p.rego": text })).toEqual([
    expect.stringContaining(
      "p.rego:5:1: rule deny is never read: this policy has its own decision",
    ),
  ]);
  const used = rule(`decision := {"deny": deny}\n\ndeny contains 1 if true`);
  expect(await problemsOf({ "p.rego": used })).toEqual([]);
});

test("helpers with names of their own are left alone", async () => {
  const names = [
    "allowed_domains",
    "tables",
    "side",
    "region",
    "hidden_tools",
    "label_of",
    "customer",
  ];
  const text = rule(
    `deny contains 1 if true\n\n${names.map((name) => `${name} := 1`).join("\n\n")}`,
  );
  expect(await problemsOf({ "p.rego": text })).toEqual([]);
});

describe("each kind of layer has its rules", () => {
  const definitions = {
    allow: "allow contains 1 if true",
    capabilities: 'capabilities := {"servers": []}',
    waive: "waive contains 1 if true",
    data_classes: 'data_classes contains "a" if true',
    labels: 'labels contains "a" if true',
  };
  const allowed: Record<keyof typeof definitions, readonly string[]> = {
    allow: ["server"],
    capabilities: ["identity"],
    waive: ["overrides"],
    data_classes: ["server"],
    labels: ["server"],
  };
  const kinds = ["identity", "server", "workflow", "compliance", "overrides"];
  const names = ["allow", "capabilities", "waive", "data_classes", "labels"] as const;
  test.each(names.flatMap((name) => kinds.map((kind) => [name, kind] as const)))(
    "%s in a bundle for layer %s",
    async (name, kind) => {
      const problems = await problemsOf({ "p.rego": rule(definitions[name]) }, { layer: kind });
      const refused = expect.stringMatching(`^p\\.rego:3:1: rule ${name} belongs to layer`);
      expect(problems).toEqual(allowed[name].includes(kind) ? [] : [refused]);
    },
  );

  test("an unknown kind is refused", async () => {
    const [first] = await problemsOf(
      { "p.rego": rule("deny contains 1 if true") },
      { layer: "srever" },
    );
    expect(first).toContain(".manifest:1:1: expected metadata.layer to be one of identity, server");
  });

  test("a bundle is not built for another kind than its manifest says", async () => {
    const result = await toolchain.check({ ...crmSources, layer: "compliance" });
    expect(result.ok ? [] : result.problems.map(({ code }) => code)).toEqual(["contract_layer"]);
  });
});

test.each([
  ["deny if true", "a set: `deny contains"],
  ["deny := true", "a set: `deny contains"],
  ["deny(x) if x == 1", "a set: `deny contains"],
  ["deny.export contains 1 if true", "a set: `deny contains"],
  ['allow := {"allowed": true}', "or a boolean"],
  ["decision contains 1 if true", "one value: `decision"],
])("a rule in another shape is refused: %s", async (text, expected) => {
  const [first] = await problemsOf({ "p.rego": rule(text) });
  expect(first).toMatch(/^p\.rego:3:1: expected rule/);
  expect(first).toContain(expected);
});

describe("the policy is one package", () => {
  const two = { "a.rego": rule("deny contains 1 if true"), "b.rego": "package lib.b\n\nx := 1\n" };

  test("two packages without a word in the manifest are refused with their names", async () => {
    expect((await problemsOf(two))[0]).toContain(
      "found 2 (lib.b, p); name the policy in metadata.policy_package",
    );
  });

  test("the manifest names it", async () => {
    expect(await problemsOf(two, { policy_package: "p" })).toEqual([]);
  });

  test("a name that is no package is refused", async () => {
    expect((await problemsOf(two, { policy_package: "q" }))[0]).toContain('(lib.b, p), got "q"');
  });

  test("a rule of the contract in another package, which nothing reads, is refused", async () => {
    const modules = { ...two, "b.rego": "package lib.b\n\ndeny contains 1 if true\n" };
    const [first] = await problemsOf(modules, { policy_package: "p" });
    expect(first).toContain("b.rego:3:1: rule deny is never read: the policy is package p");
  });

  test("a package without a rule of the contract is refused", async () => {
    expect((await problemsOf({ "p.rego": rule("x := 1") }))[0]).toContain("[contract_empty]");
  });

  test("names of generated entrypoints are reserved", async () => {
    const [first] = await problemsOf({
      "p.rego": rule("deny contains 1 if classify\n\nclassify if true"),
    });
    expect(first).toContain("rule name classify is reserved");
  });
});

test("a rule where data.json has a value is refused", async () => {
  const result = await toolchain.check({
    modules: { "p.rego": rule("deny contains 1 if true") },
    data: { p: { deny: [] } },
  });
  expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
    expect.stringContaining("conflict"),
  ]);
});
