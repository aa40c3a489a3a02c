/**
 * `mcp-gateway replay` on what a real gateway has decided: a planted change shows exactly what it
 * turns, and nothing else.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const server = `
allow contains "anything" if input.action.tool in {"echo", "numbers", "double"}

require_approval contains {"code": "ask", "msg": "ask"} if input.action.tool == "double"

data_classes contains "public"
`;

const compliance = `# METADATA
# custom: {id: compliance.numbers, code: no_big_numbers}
deny contains {"rule": rego.metadata.rule()} if input.action.args.n > 100
`;

/** Refuses small numbers, no longer asks about doubles, allows slow ones. */
const changedServer = `
allow contains "anything" if input.action.tool in {"echo", "numbers", "double", "progress"}

# METADATA
# custom: {id: crm.small, code: too_small}
deny contains {"rule": rego.metadata.rule()} if input.action.args.n < 10

data_classes contains "public"
`;

const since = ["--since", "2020-01-01"];
const env = freshEnvironment();
let config = "";

function folderOf(name: string, layer: string, rego: string): string {
  const folder = join(temporaryFolder(), name);
  mkdirSync(folder);
  const metadata = { name, layer, policy_package: `test.${name}` };
  const manifest = { revision: "2", roots: [`test/${name}`], metadata };
  writeFileSync(join(folder, ".manifest"), JSON.stringify(manifest));
  writeFileSync(join(folder, "policy.rego"), `package test.${name}\n\n${rego}\n`);
  return folder;
}

interface Group {
  readonly bucket: string;
  readonly tool: string;
  readonly rule: string | null;
  readonly reason: string | null;
  readonly count: number;
}

async function replay(folder: string, ...options: readonly string[]) {
  const ended = await runBin(["replay", folder, "-c", config, ...since, ...options], env);
  return { ...ended, report: ended.stdout.startsWith("{") ? JSON.parse(ended.stdout) : undefined };
}

function changesIn(report: { readonly groups: readonly Group[] }) {
  return report.groups.map(({ bucket, tool, rule, reason, count }) =>
    [bucket, tool, rule, reason, count].join(" "),
  );
}

beforeAll(async () => {
  const layout = await buildLayout({
    ok: { rego: server },
    compliance: { rego: compliance, layer: "compliance" },
  });
  const policy = (name: string) => `oci-layout:${layout}:${name}`;
  const layers = [{ name: "compliance", kind: "compliance", policy: policy("compliance") }];
  config = writeFixtureConfig({ ok: { policy: policy("ok") } }, { layers });
  const client = await startRawClient(serveCommand(config, env));
  for (const n of [1, 5, 50, 500]) await client.call("ok__numbers", { n });
  for (const tool of ["echo", "echo", "double", "progress", "error"]) {
    await client.call(`ok__${tool}`);
  }
  await client.call("ok__no_such_tool");
  await client.end();
}, 300_000);

describe("replay", { timeout: 300_000 }, () => {
  test("shows exactly what a planted change turns, and the same again", async () => {
    const folder = folderOf("ok", "server", changedServer);
    const options = ["-o", "json", "--fail-on", "now-held,newly-allowed"];
    const { report, code, stdout, stderr } = await replay(folder, ...options);
    expect(changesIn(report)).toEqual([
      "newly_denied numbers crm.small too_small 2",
      "newly_allowed progress gateway.no_rule_allows no_rule_allows 1",
      "no_longer_held double test.ok.require_approval approval_required 1",
    ]);
    expect(report).toMatchObject({ decisions: 9, replayed: 9, unchanged: 5, layer: "ok" });
    expect(stderr).toContain("9 of 9 decisions replayed (100 %)");
    expect(code).toBe(5);
    expect((await replay(folder, ...options)).stdout).toBe(stdout);
  });

  test("asks a layer of the organisation beside what the others said, and writes junit", async () => {
    const folder = folderOf(
      "compliance",
      "compliance",
      'deny contains "x" if input.action.args.n > 40',
    );
    const { stdout, code } = await replay(folder, "-o", "junit", "--fail-on", "newly-denied");
    expect(code).toBe(5);
    // 500 was denied before for another reason; of the others only 50 was allowed.
    expect(stdout).toContain('<testsuite name="replay compliance" tests="3" failures="1">');
    expect(stdout).toContain("newly_denied ok/numbers test.compliance.deny");
    expect(stdout).toContain("reason_only ok/numbers test.compliance.deny");
    // What names no tool was refused before anybody was asked.
    expect(stdout).toContain("not_replayable /tool_call refused_before_policy");
  });

  test("refuses a candidate that fits no place, and a bucket that is none", async () => {
    const workflow = folderOf("workflow", "workflow", 'deny contains "x" if false');
    const unfit = await replay(workflow);
    expect(unfit).toMatchObject({ code: 2 });
    expect(unfit.stderr).toContain("expected one workflow in whose place the candidate is tried");
    const wrong = await replay(workflow, "--fail-on", "newly-denied,worse");
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain('found "worse"');
  });
});

describe("decision get --as-test", { timeout: 300_000 }, () => {
  test("writes a test that passes with the policy that decided, and fails with another", async () => {
    const test = async (name: string, layer: string, rego: string, tool: string) => {
      const folder = folderOf(name, layer, rego);
      const listed = await runBin(
        ["decision", "list", "--tool", tool, "-o", "json", "-c", config],
        env,
      );
      const { items } = JSON.parse(listed.stdout);
      const id = items[0].decision_id;
      const file = join(folder, "recorded_test.rego");
      const got = await runBin(
        ["decision", "get", id, "--as-test", "--layer", name, "-f", file, "-c", config],
        env,
      );
      expect(got).toMatchObject({ code: 0 });
      return await runBin(["policy", "test", folder, "-o", "json"], env);
    };
    expect(await test("ok", "server", server, "double")).toMatchObject({ code: 0 });
    expect(await test("compliance", "compliance", compliance, "numbers")).toMatchObject({
      code: 0,
    });
    expect(await test("ok", "server", changedServer, "double")).toMatchObject({ code: 4 });
  });
});
