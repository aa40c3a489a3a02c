/**
 * `mcp-gateway replay` on what a real gateway has decided: a planted change shows exactly what it
 * turns, and nothing else.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isInstalled, startDockerRegistry } from "../support/docker-registry.ts";
import { startFakeRegistry } from "../support/fake-registry.ts";
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
let layout = "";

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
  layout = await buildLayout({
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
    expect(changesIn(report)).toEqual(turned);
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

/** What `changedServer` turns. */
const turned = [
  "newly_denied numbers crm.small too_small 2",
  "newly_allowed progress gateway.no_rule_allows no_rule_allows 1",
  "no_longer_held double test.ok.require_approval approval_required 1",
];

/** Digest of what a layout has under this name. */
function digestIn(path: string, name: string): string {
  const { manifests } = JSON.parse(readFileSync(join(path, "index.json"), "utf8"));
  const found = manifests.find((one: { readonly annotations?: object }) =>
    Object.values(one.annotations ?? {}).includes(name),
  );
  return found.digest;
}

describe("a candidate", { timeout: 300_000 }, () => {
  test("comes from a layout, by its tag or its digest", async () => {
    const changed = await buildLayout({ ok: { rego: changedServer } });
    const digest = digestIn(changed, "ok");
    for (const reference of [`oci-layout:${changed}:ok`, `oci-layout:${changed}@${digest}`]) {
      const { report, stderr } = await replay(reference, "-o", "json");
      expect(changesIn(report), stderr).toEqual(turned);
      expect(report.candidate).toEqual({ revision: "1", digest });
    }
    const other = `sha256:${"0".repeat(64)}`;
    const refused = await replay(`oci-layout:${changed}@${other}`, "-o", "json");
    expect(refused).toMatchObject({ code: 7, stdout: "" });
    expect(refused.stderr).toContain(other);
  });

  test("comes from a registry", async () => {
    const registry = isInstalled("docker-registry")
      ? await startDockerRegistry(temporaryFolder())
      : await startFakeRegistry();
    onTestFinished(registry.close);
    const reference = `oci://${registry.host}/policies/ok:next`;
    const pushed = await runBin(
      ["bundle", "push", folderOf("ok", "server", changedServer), reference],
      env,
    );
    expect(pushed.stderr).toBe("");
    for (const text of [reference, pushed.stdout.trim()]) {
      const { report, stderr } = await replay(text, "-o", "json");
      expect(changesIn(report), stderr).toEqual(turned);
    }
    expect(await replay(`oci://${registry.host}/policies/ok:other`)).toMatchObject({ code: 7 });
  });

  test("is one that this gateway has had, by its digest or the beginning of it", async () => {
    const digest = digestIn(layout, "ok");
    for (const text of [digest, digest.slice(0, 19), digest.slice(7, 19)]) {
      const { report, stderr } = await replay(text, "-o", "json");
      expect(report, stderr).toMatchObject({ candidate: { digest }, unchanged: 9, groups: [] });
    }
    const unknown = await replay(`sha256:${"0".repeat(64)}`);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toContain("found none that begins with sha256:000");
  });

  test("is asked without a database where none was made", async () => {
    const { report } = await replay(digestIn(layout, "ok"), "-o", "json");
    expect(report).toMatchObject({ decisions: 9 });
    expect(existsSync(join(env["MCP_GATEWAY_STATE"] ?? "", "embedded"))).toBe(false);
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
