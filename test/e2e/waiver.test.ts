import { beforeAll, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startRawClient } from "../support/raw-client.ts";

const denial = `# METADATA
# title: Not on weekends
# custom: {id: compliance.weekend, code: weekend, overridable: true}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "echo"

# METADATA
# title: Never
# custom: {id: compliance.never, code: never}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "numbers"`;

/** Two rules without an id: both are `test.nameless.deny`. */
const nameless = `# METADATA
# custom: {code: harmless, overridable: true}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "slow"

# METADATA
# custom: {code: dangerous, overridable: true}
deny contains {"rule": rego.metadata.rule()} if input.action.tool == "numbers"`;

const waiver = (bundle: string, rule: string, expires: string) =>
  `waive contains {"bundle": "${bundle}", "rule": "${rule}", "justification": "on call", "expires": "${expires}", "ticket": "T-1"}`;

let layout = "";

beforeAll(async () => {
  layout = await buildLayout({
    ok: allowAll,
    compliance: { layer: "compliance", rego: denial },
    overrides: {
      layer: "overrides",
      rego: [
        waiver("compliance", "compliance.weekend", "2999-01-01T00:00:00Z"),
        waiver("compliance", "compliance.never", "2999-01-01T00:00:00Z"),
      ].join("\n\n"),
    },
    nameless: { layer: "compliance", rego: nameless },
    waivesnameless: {
      layer: "overrides",
      rego: waiver("nameless", "test.nameless.deny", "2999-01-01T00:00:00Z"),
    },
    expired: {
      layer: "overrides",
      rego: waiver("compliance", "compliance.weekend", "2020-01-01T00:00:00Z"),
    },
  });
});

async function callThrough(overrides: string, tool: string, compliance = "compliance") {
  const policy = (name: string) => `oci-layout:${layout}:${name}`;
  const layers = [
    { name: compliance, kind: "compliance", policy: policy(compliance) },
    { name: overrides, kind: "overrides", policy: policy(overrides) },
  ];
  const env = freshEnvironment();
  const config = writeFixtureConfig({ ok: { policy: policy("ok") } }, { layers });
  const client = await startRawClient(serveCommand(config, env));
  const { result } = await client.call(`ok__${tool}`);
  await client.end();
  const { stdout } = await runBin(["decision", "get", "last", "-o", "json"], env);
  return { isError: Object(result).isError, record: stdout };
}

test("a valid waiver lifts an overridable denial, and the record shows the one that was used", async () => {
  const { isError, record } = await callThrough("overrides", "echo");
  expect(isError).toBeUndefined();
  expect(JSON.parse(record).admission.waivers.used).toMatchObject([
    { rule: "compliance.weekend", justification: "on call", ticket: "T-1" },
  ]);
});

test("no waiver lifts a denial that its author did not mark overridable", async () => {
  const { isError, record } = await callThrough("overrides", "numbers");
  expect(isError).toBe(true);
  expect(record).toContain('"never"');
});

test("an expired waiver lifts nothing and is in the record", async () => {
  const { isError, record } = await callThrough("expired", "echo");
  expect(isError).toBe(true);
  expect(JSON.parse(record).admission.waivers).toMatchObject({
    used: [],
    expired: [{ rule: "compliance.weekend" }],
  });
});

test("no waiver lifts a denial whose rule has no id of its own", async () => {
  const { isError, record } = await callThrough("waivesnameless", "numbers", "nameless");
  expect(isError).toBe(true);
  expect(record).toContain('"dangerous"');
});
