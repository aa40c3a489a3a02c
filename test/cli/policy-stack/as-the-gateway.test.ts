/**
 * `policy test --stack` decides as the gateway would: with its detectors, the agents above an agent,
 * the layers that a place selects, and what the operator says of a server.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runCli } from "../../support/cli-run.ts";
import { buildLayout } from "../../support/policy-layout.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const limit = { timeout: 300_000 };

let layout = "";
beforeAll(async () => {
  layout = await buildLayout({
    crm: {
      rego: `allow contains "any"

deny contains "no_addresses" if "contact_data" in input.action.data_classes_referenced`,
    },
    wiki: {
      rego: `# METADATA
# custom:
#   id: wiki.bad
#   overridable: true
deny contains {"rule": rego.metadata.rule()} if input.action.args.bad == true

deny contains "worse" if input.action.args.worse == true`,
    },
    exceptions: {
      layer: "overrides",
      rego: `waive contains {
	"bundle": "wiki",
	"rule": "wiki.bad",
	"justification": "cleaning up",
	"expires": "2026-12-01T00:00:00Z",
} if input.action.args.waived == true`,
    },
    register: {
      layer: "identity",
      rego: `capabilities := {
	"worker": {"servers": ["*"], "tools": ["*"], "scopes": ["*"]},
	"planner": {"servers": ["crm"], "tools": ["*"], "scopes": ["*"]},
}[input.agent.id]`,
    },
    east: { layer: "compliance", rego: 'deny contains "not_in_the_east"' },
  });
}, 300_000);

interface Case {
  readonly call: object;
  readonly expect: object;
  readonly agent?: object;
  readonly environment?: object;
  readonly time?: string;
}

/** Runs cases of the agent `worker` on these servers and layers. */
async function run(cases: Readonly<Record<string, Case>>) {
  const folder = temporaryFolder();
  const policy = (name: string) => ({ bundle: `oci-layout:${layout}:${name}`, require: "none" });
  const config = join(folder, "mcp-gateway.config.json");
  writeFileSync(
    config,
    JSON.stringify({
      profile: "trial",
      agent: { id: "worker" },
      agents: { planner: {} },
      user: { id: "alice" },
      environment: { region: "west" },
      servers: {
        crm: { command: "none", policy: policy("crm"), ceiling: ["get"] },
        wiki: { command: "none", policy: policy("wiki"), default: "allow" },
      },
      layers: [
        { name: "register", kind: "identity", policy: policy("register") },
        { name: "exceptions", kind: "overrides", policy: policy("exceptions") },
        { name: "east", kind: "compliance", policy: policy("east"), when: { regions: ["east"] } },
      ],
    }),
  );
  const listed = Object.entries(cases).map(([name, one]) => ({ name, ...one }));
  writeFileSync(join(folder, "a.stack.json"), JSON.stringify({ cases: listed }));
  const env = { HOME: folder, XDG_CACHE_HOME: join(folder, "cache"), PATH: "" };
  return await runCli(["policy", "test", "--stack", "-c", config], folder, env);
}

const get = { server: "crm", tool: "get" };
const read = { server: "wiki", tool: "read" };
const worker = { id: "worker", scope: "any" };

test("what detectors find in arguments is a class of the call", limit, async () => {
  const outcome = await run({
    plain: { call: { ...get, arguments: { to: "Ann" } }, expect: { effect: "allow" } },
    address: {
      call: { ...get, arguments: { to: "ann@example.com" } },
      expect: { effect: "deny", reasons: ["no_addresses"] },
    },
  });
  expect(outcome).toMatchObject({ exitCode: 0, err: "2 passed, 0 failed" });
});

test("a sub-agent is where its parent may be", limit, async () => {
  const under = (parent: string | null) => ({ ...worker, parent });
  const outcome = await run({
    alone: { call: read, agent: under(null), expect: { effect: "allow" } },
    within: { call: get, agent: under("planner"), expect: { effect: "allow" } },
    outside: { call: read, agent: under("planner"), expect: { effect: "hidden" } },
    "under nobody": { call: get, agent: under("ghost"), expect: { effect: "hidden" } },
  });
  expect(outcome).toMatchObject({ exitCode: 0, err: "4 passed, 0 failed" });
});

test("a layer is asked where the case says that the gateway runs", limit, async () => {
  const denied = { effect: "deny", reasons: ["not_in_the_east"] };
  const outcome = await run({
    "where it is": { call: get, expect: { effect: "allow" } },
    east: { call: get, environment: { region: "east" }, expect: denied },
  });
  expect(outcome).toMatchObject({ exitCode: 0, err: "2 passed, 0 failed" });
});

test("the operator's ceiling and default hold", limit, async () => {
  const above = { effect: "deny", reasons: ["no_rule_allows"] };
  const outcome = await run({
    "above the ceiling": { call: { ...get, tool: "put" }, expect: above },
    "by default": { call: read, expect: { effect: "allow" } },
    "but denied": {
      call: { ...read, arguments: { bad: true } },
      expect: { effect: "deny", reasons: ["wiki.bad"] },
    },
  });
  expect(outcome).toMatchObject({ exitCode: 0, err: "3 passed, 0 failed" });
});

test("a waiver lifts the denial that it names, until its end", limit, async () => {
  const bad = { bad: true, waived: true };
  const at = (args: object, time = "2026-11-23T10:00:00Z") => ({
    call: { ...read, arguments: args },
    time,
  });
  const outcome = await run({
    lifted: { ...at(bad), expect: { effect: "allow", waived: ["wiki/wiki.bad"] } },
    "not waived": { ...at({ bad: true }), expect: { effect: "deny", reasons: ["wiki.bad"] } },
    another: { ...at({ ...bad, worse: true }), expect: { effect: "deny", reasons: ["worse"] } },
    "after its end": {
      ...at(bad, "2026-12-01T00:00:01Z"),
      expect: { effect: "deny", reasons: ["wiki.bad"], waived: [] },
    },
  });
  expect(outcome).toMatchObject({ exitCode: 0, err: "4 passed, 0 failed" });
});
