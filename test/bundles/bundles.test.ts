/**
 * Every bundle this repository ships: in order for the gateway, its own tests passing, each rule
 * with the METADATA that reasons, handbook and record are made of, and a README that names it.
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { resolveLibraries } from "../../src/cli/bundle/resolve-libraries.ts";
import type { PolicyInspection, RegoResult } from "../../src/rego/answers.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { readPolicyFolder } from "../../src/rego/read-policy-folder.ts";
import type { PolicyFolder } from "../../src/rego/read-policy-folder.ts";
import { dependencies } from "../support/bundle-setting.ts";

const bundlesFolder = fileURLToPath(new URL("../../bundles", import.meta.url));
const expected = {
  compliance: ["compliance", "org.compliance"],
  crm: ["server", "mcp.crm"],
  identity: ["identity", "org.identity"],
  mail: ["server", "mcp.mail"],
  overrides: ["overrides", "org.overrides"],
  workflow: ["workflow", "org.workflow"],
} as const;
const libraries = {
  "lib-blast-radius": "lib/blast_radius",
  "lib-data-classes": "lib/data_classes",
  "lib-order": "lib/order",
  "lib-roles": "lib/roles",
  "lib-runaway": "lib/runaway",
  "lib-text": "lib/text",
  "lib-time": "lib/time",
  "lib-toxic-flows": "lib/toxic_flows",
} as const;
const requiring = ["compliance", "mail"];
const bundles = Object.entries(expected).map(([name, [layer, pkg]]) => ({ name, layer, pkg }));

/** What the METADATA of a rule that refuses has to say. */
const refusal = z.strictObject({
  id: z.string(),
  code: z.string().regex(/^[a-z_]+$/),
  severity: z.enum(["low", "medium", "high", "critical"]),
  remediation: z.string().regex(/^[a-z_]+$/),
  appeal: z.url({ protocol: /^https$/ }).optional(),
  alternatives: z.array(z.string().regex(/^[a-z-]+__[a-z_]+$/)).optional(),
  overridable: z.boolean().optional(),
  disclose: z.enum(["text", "code", "none"]),
  audit: z.boolean().optional(),
  owner: z.string(),
});

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

it("every folder with a manifest is one of the bundles tested here", () => {
  const folders = readdirSync(bundlesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "dist")
    .map((entry) => entry.name);
  const all = [...Object.keys(expected), ...Object.keys(libraries)];
  expect(folders.toSorted()).toEqual(all.toSorted());
});

describe.each(Object.entries(libraries))("library %s", (name, root) => {
  const folder = join(bundlesFolder, name);

  it("is in order, passes its own tests, which reach every line, and is what its manifest says", async () => {
    const sources = await readPolicyFolder(folder);
    const metadata = { name, layer: "library" };
    expect(sources.manifest).toEqual({ revision: "1.0.0", roots: [root], metadata });
    const { tests, coverage } = must(await toolchain.test(sources));
    expect(tests.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(tests.length).toBeGreaterThanOrEqual(5);
    expect(coverage.percent).toBe(100);
  });

  it("has METADATA on every rule, and each function in its README", async () => {
    const { annotations } = await inspect(folder);
    const rows = new Set(annotations.map(({ row }) => row));
    const text = await readFile(join(folder, `${basename(root)}.rego`), "utf8");
    const readme = await readFile(join(folder, "README.md"), "utf8");
    expect(rowsOfRules(text).filter((row) => !rows.has(row))).toEqual([]);
    const functions = [...text.matchAll(/^([a-z_]+\([a-z, ]+\))/gm)].map(([, one = ""]) => one);
    expect(functions.length).toBeGreaterThan(0);
    for (const one of functions) expect(readme).toContain(`\`${one}\``);
  });
});

describe.each(bundles)("bundle $name", ({ name, layer, pkg }) => {
  const folder = join(bundlesFolder, name);

  it("is in order and is what its manifest says", async () => {
    const { ignored, manifest } = await readPolicyFolder(folder);
    expect(ignored).toEqual(["README.md"]);
    const { requires, ...metadata } = manifest.metadata ?? {};
    expect({ ...manifest, metadata }).toEqual({
      revision: "1.0.0",
      roots: [pkg.replace(".", "/")],
      metadata: { name, layer, policy_package: pkg },
    });
    expect(requires !== undefined).toBe(requiring.includes(name));
    const checked = must(await toolchain.check({ ...(await sourcesOf(folder)), layer }));
    expect(checked).toMatchObject({ package: pkg, layer });
  });

  it("passes its own tests, which reach every line of its policy", async () => {
    const report = must(await toolchain.test(await sourcesOf(folder)));
    expect(report.tests.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(report.tests.length).toBeGreaterThanOrEqual(5);
    expect(report.coverage.files["policy.rego"]).toEqual({ percent: 100, not_covered: [] });
  });

  it("has METADATA with title and description on every rule", async () => {
    const { annotations } = await inspect(folder);
    const described = new Map(annotations.map(({ row, annotations: text }) => [row, text]));
    const rules = rowsOfRules(await readFile(join(folder, "policy.rego"), "utf8"));
    expect(rules.length).toBeGreaterThan(0);
    for (const row of rules) {
      expect(described.get(row), `policy.rego:${row}`).toMatchObject({
        title: expect.stringMatching(/\S/),
        description: expect.stringMatching(/\S/),
      });
    }
  });

  it("gives every rule of the contract an id of its own, which the README names", async () => {
    const rules = await contractRules(folder);
    const ids = rules.map(({ custom }) => z.string().parse(custom["id"]));
    expect(ids).toEqual([...new Set(ids)]);
    const readme = await readFile(join(folder, "README.md"), "utf8");
    for (const id of ids) {
      expect(id).toMatch(new RegExp(`^${name}\\.[a-z_]+$`));
      expect(readme).toContain(`\`${id}\``);
    }
  });

  it("says with every denial and hold what to do about it", async () => {
    const refusals = (await contractRules(folder)).filter(
      ({ rule }) => rule === "deny" || rule === "require_approval",
    );
    expect(refusals.length > 0).toBe(layer !== "identity");
    for (const { custom } of refusals) {
      expect(refusal.safeParse(custom)).toMatchObject({ success: true, data: custom });
    }
  });
});

/** The rules that the gateway reads, each with its METADATA's `custom`. */
async function contractRules(folder: string) {
  const { definitions, annotations } = await inspect(folder);
  const customs = new Map(annotations.map(({ row, annotations: text }) => [row, text.custom]));
  return definitions.map(({ rule, row }) => ({ rule, custom: customs.get(row) ?? {} }));
}

async function inspect(folder: string): Promise<PolicyInspection> {
  const inspected = must(await toolchain.inspect(await sourcesOf(folder)));
  const own = inspected.annotations.filter(({ file }) => !file.startsWith("libraries/"));
  return { ...inspected, annotations: own };
}

/** With its libraries, which are all beside it. */
async function sourcesOf(folder: string): Promise<PolicyFolder> {
  const tools = { toolchain, dependencies: () => dependencies() };
  return await resolveLibraries(await readPolicyFolder(folder), folder, tools);
}

/** Rows in which a rule starts: whatever stands at the margin and is no comment, bracket or package. */
function rowsOfRules(text: string): readonly number[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      /^[a-z]/.test(line) && !/^(?:package|import)\b/.test(line) ? [index + 1] : [],
    );
}

function must<Value>(result: RegoResult<Value>): Value {
  if (result.ok) return result.value;
  throw new Error(
    result.problems.map(({ file, row, message }) => `${file}:${row}: ${message}`).join("\n"),
  );
}
