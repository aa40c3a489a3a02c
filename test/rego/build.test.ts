import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Json } from "../../src/contract/json.ts";
import type { BuiltPolicy } from "../../src/rego/answers.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import type { PolicySources } from "../../src/rego/create-rego-toolchain.ts";
import { callOf, crmPolicy, crmSources, crmTests } from "./policies.ts";

const opaWasm = z
  .object({ loadPolicy: z.custom<(wasm: Uint8Array) => Promise<LoadedPolicy>>() })
  .parse(createRequire(import.meta.url)("@open-policy-agent/opa-wasm"));

interface LoadedPolicy {
  readonly setData: (data: object) => void;
  readonly evaluate: (input: Json, entrypoint: string) => readonly { readonly result: unknown }[];
}

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

async function build(sources: PolicySources): Promise<BuiltPolicy> {
  const built = await toolchain.build(sources);
  if (!built.ok) throw new Error(JSON.stringify(built.problems));
  return built.value;
}

function textOf(built: BuiltPolicy, path: string): string {
  const bytes = built.files.get(path);
  if (bytes === undefined)
    throw new Error(`expected ${path} among ${[...built.files.keys()].join(", ")}`);
  return Buffer.from(bytes).toString("utf8");
}

async function load(built: BuiltPolicy): Promise<LoadedPolicy> {
  const policy = await opaWasm.loadPolicy(built.files.get("policy.wasm") ?? new Uint8Array());
  policy.setData(z.record(z.string(), z.unknown()).parse(JSON.parse(textOf(built, "data.json"))));
  return policy;
}

async function decide(sources: PolicySources, input: Json, entrypoint: string) {
  return (await load(await build(sources))).evaluate(input, entrypoint);
}

const rule = (body: string) => ({ modules: { "p.rego": `package p\n\n${body}\n` } });

describe("a built bundle", () => {
  let built: BuiltPolicy;
  beforeAll(async () => {
    built = await build({
      ...crmSources,
      modules: { "crm.rego": crmPolicy, "crm_test.rego": crmTests },
    });
  });

  test("has wasm, data, manifest, and sources that nothing was taken out of; no tests", () => {
    expect([...built.files.keys()].toSorted()).toEqual([
      ".manifest",
      "crm.rego",
      "data.json",
      "gateway_entrypoints.rego",
      "policy.wasm",
    ]);
    expect(textOf(built, "crm.rego")).toBe(crmPolicy);
    expect(JSON.parse(textOf(built, "data.json"))).toEqual(crmSources.data);
  });

  test("says in its manifest what a gateway wants to know", () => {
    expect(JSON.parse(textOf(built, ".manifest"))).toEqual({
      revision: "1.4.7",
      roots: ["mcp/crm"],
      rego_version: 1,
      wasm: ["classify", "visibility", "decision"].map((name) => ({
        entrypoint: `mcp/crm/${name}`,
        module: "/policy.wasm",
      })),
      metadata: {
        name: "crm",
        layer: "server",
        policy_package: "mcp.crm",
        rules: ["allow", "deny", "hide", "data_classes"],
        required_builtins: [],
        opa_version: expect.stringMatching(/^1\.\d+\.\d+$/),
      },
    });
  });

  test("has the same bytes when it is built again, by another thread too", async () => {
    const other = createRegoToolchain();
    const again = await other.build(crmSources);
    await other.close();
    expect(again.ok && digestOf(again.value)).toBe(digestOf(await build(crmSources)));
    expect(digestOf(built)).toBe(digestOf(await build(crmSources)));
    const changed = { ...crmSources, manifest: { ...crmSources.manifest, revision: "1.4.8" } };
    expect(digestOf(built)).not.toBe(digestOf(await build(changed)));
  });

  test("is built again from its own files without a difference", async () => {
    const modules = Object.fromEntries(
      [...built.files.keys()]
        .filter((path) => path.endsWith(".rego"))
        .map((path) => [path, textOf(built, path)]),
    );
    expect(digestOf(await build({ ...crmSources, modules }))).toBe(digestOf(built));
  });

  test.each(["get_customer", "export_customers", "purge", "other"])(
    "answers in wasm what OPA's interpreter answers: %s",
    async (tool) => {
      const policy = await load(built);
      for (const entrypoint of built.entrypoints) {
        const query = `data.${entrypoint.replaceAll("/", ".")}`;
        const expected = await toolchain.eval({ ...crmSources, input: callOf(tool), query });
        expect(policy.evaluate(callOf(tool), entrypoint)).toEqual([
          { result: expected.ok ? expected.value.value : undefined },
        ]);
      }
    },
  );

  test("carries METADATA into wasm as a literal", async () => {
    const policy = await load(built);
    const [answer] = policy.evaluate(callOf("export_customers"), "mcp/crm/decision");
    expect(answer?.result).toMatchObject({
      allow: [],
      deny: [
        {
          details: { tool: "export_customers" },
          rule: {
            title: "No exports",
            description: "Everything at once leaves nothing to ask for.",
            custom: { id: "CRM-D1", code: "export_forbidden", remediation: "ask_for_one" },
          },
        },
      ],
      hide: [],
      data_classes: ["customer_data"],
    });
  });

  test("answers classes alone and visibility alone", async () => {
    const policy = await load(built);
    expect(policy.evaluate(callOf("get_customer"), "mcp/crm/classify")).toEqual([
      { result: { data_classes: ["customer_data"] } },
    ]);
    expect(policy.evaluate(callOf("purge"), "mcp/crm/visibility")).toEqual([
      { result: { hide: ["internal_tool"] } },
    ]);
  });
});

describe("the generated decision", () => {
  test("holds false where a boolean grant is undefined, and true where it is", async () => {
    const sources = rule('allow if input.action.tool == "a"');
    expect(await decide(sources, callOf("a"), "p/decision")).toEqual([{ result: { allow: true } }]);
    expect(await decide(sources, callOf("b"), "p/decision")).toEqual([
      { result: { allow: false } },
    ]);
  });

  test("is undefined where the capabilities are", async () => {
    const text = 'capabilities := {"servers": ["crm"]} if input.agent.id == "somebody-else"';
    const sources = { ...rule(text), manifest: { metadata: { layer: "identity" } } };
    expect(await decide(sources, callOf("a"), "p/decision")).toEqual([]);
    expect(await decide(sources, callOf("a"), "p/visibility")).toEqual([]);
  });

  test("is the author's own where there is one", async () => {
    const sources = rule('decision := {"allow": ok}\n\nok := input.action.tool == "a"');
    const built = await build(sources);
    expect(built.rules).toEqual(["decision"]);
    expect(built.entrypoints).toEqual(["p/decision"]);
    expect([...built.files.keys()]).not.toContain("gateway_entrypoints.rego");
    expect(await decide(sources, callOf("a"), "p/decision")).toEqual([{ result: { allow: true } }]);
  });

  test("replaces whatever a folder holds under the generated name", async () => {
    const sources = rule("deny contains 1 if true");
    const forged = 'package p\n\ndecision := {"allow": true}\n';
    const modules = { ...sources.modules, "gateway_entrypoints.rego": forged };
    expect(await decide({ modules }, callOf("a"), "p/decision")).toEqual([
      { result: { deny: [1] } },
    ]);
  });

  test("erases print, which has nothing to print to", async () => {
    const sources = rule(
      'deny contains "x" if {\n\tprint("seen", input.action.tool)\n\tinput.action.tool == "a"\n}',
    );
    expect((await build(sources)).required_builtins).toEqual([]);
    expect(await decide(sources, callOf("a"), "p/decision")).toEqual([{ result: { deny: ["x"] } }]);
  });
});

describe("a manifest that does not fit is refused", () => {
  test.each([
    ["a package outside the roots", { roots: ["other"] }, {}, "do not permit"],
    ["data outside the roots", { roots: ["p"] }, { other: { a: 1 } }, "do not permit"],
    ["roots that overlap", { roots: ["p", "p/q"] }, {}, "overlapped roots"],
  ])("%s", async (_, manifest, data, expected) => {
    const sources = { ...rule("deny contains 1 if true"), manifest, data };
    for (const result of [await toolchain.build(sources), await toolchain.check(sources)]) {
      expect(result.ok ? [] : result.problems).toEqual([
        expect.objectContaining({
          code: "manifest_invalid",
          file: ".manifest",
          message: expect.stringContaining(expected),
        }),
      ]);
    }
  });
});

test("a policy that is not in order is not built", async () => {
  const built = await toolchain.build(rule("denies contains 1 if true"));
  expect(built.ok ? [] : built.problems.map(({ code }) => code)).toEqual(["contract_near_miss"]);
});

function digestOf({ files }: BuiltPolicy): string {
  const digest = createHash("sha256");
  for (const path of [...files.keys()].toSorted()) {
    digest.update(`${path}\0`).update(files.get(path) ?? "");
  }
  return digest.digest("hex");
}
