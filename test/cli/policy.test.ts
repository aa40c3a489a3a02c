import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { CliIo } from "../../src/cli/io.ts";
import { registerPolicyCommands } from "../../src/cli/policy.ts";
import { run as runCommand } from "../../src/cli/run.ts";
import { createRegoToolchain } from "../../src/rego/create-rego-toolchain.ts";
import { openArchive } from "../../src/bundle/archive.ts";
import { callOf, crmPolicy, crmTests } from "../rego/policies.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const toolchain = createRegoToolchain();
afterAll(() => toolchain.close());

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
}

function writeCrm(): void {
  write({
    "crm.rego": crmPolicy,
    "crm_test.rego": crmTests,
    "data.json": '{"mcp": {"crm": {"scopes": ["support"]}}}',
    ".manifest":
      '{"revision": "1.4.7", "roots": ["mcp/crm", "mcp/crm_test"], "metadata": {"name": "crm"}}',
  });
}

const silent: CliIo = {
  out: () => undefined,
  err: () => undefined,
  env: {},
  cwd: "",
  columns: undefined,
  exit: () => undefined,
};

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  let code: number | undefined;
  const io: CliIo = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: {},
    cwd: folder,
    columns: undefined,
    exit: (next) => {
      code = next;
    },
  };
  const program = new Command().exitOverride();
  registerPolicyCommands(program, io, (run) => run(toolchain));
  await program.parseAsync(["node", "mcp-gateway", "policy", ...args]);
  return { out: out.join("\n"), err: err.join("\n"), code };
}

test("check says what a policy defines", async () => {
  writeCrm();
  const { out, err, code } = await run("check", ".");
  expect(code).toBe(0);
  expect(err).toBe("");
  expect(out).toMatch(/^\. +yes +mcp\.crm +server +allow, deny, hide, data_classes$/m);
});

test.each([
  ["no .manifest", undefined],
  ["a .manifest without a name", '{"metadata": {"layer": "server"}}'],
])("check warns of %s, which bundle push refuses, and says what to write", async (_, manifest) => {
  write({ "p.rego": "package p\n\ndeny contains 1 if input.agent.id\n" });
  if (manifest !== undefined) write({ ".manifest": manifest });
  const { out, err, code } = await run("check", ".", "-o", "json");
  expect(code).toBe(0);
  expect(err).toMatch(/^warning: \.manifest: found no metadata\.name, without which bundle push/);
  expect(err).toContain('{"metadata": {"name": "NAME"}}');
  const warnings = [expect.stringContaining("no metadata.name")];
  expect(JSON.parse(out)).toMatchObject({ items: [{ valid: true, warnings }] });
  const io = { ...silent, cwd: folder, env: { HOME: folder } };
  const errors: string[] = [];
  await runCommand(["bundle", "push", ".", "oci-layout:dist:p"], {
    ...io,
    err: (text) => void errors.push(text),
  });
  expect(errors.join("\n")).toContain("expected metadata.name in");
});

test("check prints file:line:column: message for every problem and exits 3", async () => {
  write({
    "p.rego": "package p\n\ndenies contains 1 if true\n\ndeny contains 2 if http.send({})\n",
  });
  const { out, err, code } = await run("check", ".", "-o", "json");
  expect(code).toBe(3);
  expect(err.split("\n")).toEqual([
    "./p.rego:3:1: rule denies means nothing to the gateway; did you mean deny? [contract_near_miss]",
    "./p.rego:5:20: builtin http.send is not available in the gateway; it asks the network while deciding, and a decision is made of its input and data alone; let the gateway put what the rule needs into the input, or the bundle into data.json [contract_builtin]",
  ]);
  expect(JSON.parse(out)).toMatchObject({
    items: [{ folder: ".", valid: false, problems: [{ row: 3 }, { row: 5 }] }],
  });
});

test("a command closes its toolchain, so that its process ends", async () => {
  writeCrm();
  const program = new Command();
  const codes: number[] = [];
  registerPolicyCommands(program, {
    ...silent,
    cwd: folder,
    exit: (code) => void codes.push(code),
  });
  await program.parseAsync(["node", "mcp-gateway", "policy", "check", "."]);
  expect(codes).toEqual([0]);
  expect(process.getActiveResourcesInfo()).not.toContain("Worker");
});

test("a folder without a policy is invalid, exit 3", async () => {
  const { err, code } = await run("check", ".");
  expect(code).toBe(3);
  expect(err).toMatch(/^error: .*expected a policy \(\*\.rego\)/);
});

test("tests that pass end with exit 0 and says how much of the policy was reached", async () => {
  writeCrm();
  const { out, err, code } = await run("test", ".");
  expect(code).toBe(0);
  expect(out).toMatch(/^pass +mcp\.crm_test\.test_support_reads +\d+\.\d +\.\/crm_test\.rego:5$/m);
  expect(err).toMatch(/^\.: 2 passed, 0 failed, \d+(\.\d)? % of lines covered$/);
});

test("a test that fails exits 4 and shows the expression that was false", async () => {
  writeCrm();
  write({ "crm_test.rego": crmTests.replace("== 1 with", "== 2 with") });
  const { err, code } = await run("test", ".");
  expect(code).toBe(4);
  expect(err).toMatch(
    /^\.\/crm_test\.rego:6:2: test_support_reads failed: count\(crm\.allow\) == 2/m,
  );
  expect(err).toContain(".: 1 passed, 1 failed");
});

test("a run exits 4 where there is no test, and 3 where the policy is not in order", async () => {
  write({ "p.rego": "package p\n\ndeny contains 1 if true\n" });
  expect((await run("test", ".")).code).toBe(4);
  write({ "p.rego": "package p\n\ndenies contains 1 if true\n" });
  expect((await run("test", ".")).code).toBe(3);
});

test("build writes the same bundle twice and describes it", async () => {
  writeCrm();
  const first = await run("build", ".", "-o", "json");
  const bytes = readFileSync(join(folder, "bundle.tar.gz"));
  const second = await run("build", ".", "-o", "json", "--file", "again.tar.gz");
  expect(first.code).toBe(0);
  expect(readFileSync(join(folder, "again.tar.gz")).equals(bytes)).toBe(true);
  expect(JSON.parse(second.out)).toMatchObject({
    file: "again.tar.gz",
    digest: JSON.parse(first.out).digest,
    bytes: bytes.length,
    revision: "1.4.7",
    package: "mcp.crm",
  });
  expect([...openArchive(bytes).keys()].toSorted()).toEqual([
    ".manifest",
    "crm.rego",
    "data.json",
    "gateway_entrypoints.rego",
    "policy.wasm",
  ]);
});

test("build of a policy that is not in order writes nothing and exits 3", async () => {
  write({ "p.rego": "package p\n\ndeny if true\n" });
  expect((await run("build", ".")).code).toBe(3);
  expect(() => readFileSync(join(folder, "bundle.tar.gz"))).toThrow(/ENOENT/);
});

test.each([
  ["get_customer", 0],
  ["export_customers", 6],
  ["other", 6],
])("eval --exit-on-deny of %s exits %i", async (tool, expected) => {
  writeCrm();
  write({ "input.json": JSON.stringify(callOf(tool)) });
  const { out, code } = await run("eval", ".", "--input", "input.json", "--exit-on-deny");
  expect(code).toBe(expected);
  expect(JSON.parse(out)).toHaveProperty("deny");
  expect((await run("eval", ".", "--input", "input.json")).code).toBe(0);
});

test("eval of an undefined query prints no data and says so", async () => {
  writeCrm();
  write({ "input.json": "{}" });
  const { out, err, code } = await run(
    "eval",
    ".",
    "-i",
    "input.json",
    "-q",
    "data.mcp.crm.none",
    "--exit-on-deny",
  );
  expect([out, code]).toEqual(["", 6]);
  expect(err).toContain("undefined: data.mcp.crm.none");
});

test("eval with an input that is no JSON is a usage error", async () => {
  writeCrm();
  write({ "input.json": "{" });
  const { err, code } = await run("eval", ".", "--input", "input.json");
  expect(code).toBe(2);
  expect(err).toContain("expected --input input.json to be a JSON document");
});
