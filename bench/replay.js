// @ts-nocheck
/**
 * Replay of history: makes recorded decisions of an RBAC-sized policy (default 100,000), lets
 * `mcp-gateway replay` run a candidate with a planted change over them twice, and prints the rate, the
 * flips, and whether both runs said the same byte for byte.
 *
 *     npm run build && node bench/replay.js [DECISIONS]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openArchive } from "../dist/bundle/archive.js";
import { openBundle } from "../dist/bundle/open-bundle.js";
import { newId, systemClock } from "../dist/config/ambient.js";
import { createDecisionLog } from "../dist/decision/decision-log.js";
import { combine } from "../dist/policy/combine.js";
import { createPolicyEngine } from "../dist/policy/engine/policy-engine.js";
import { buildCallInput } from "../dist/policy/input/build-input.js";

const decisions = Number(process.argv[2] ?? 100_000);
const bin = fileURLToPath(new URL("../dist/bin/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "replay-bench-"));
const env = { ...process.env, MCP_GATEWAY_STATE: join(folder, "state"), HOME: folder };

const roles = {
  admin: ["*"],
  support: ["get_customer", "list_tickets", "close_ticket", "export_customers"],
  sales: ["get_customer", "list_deals", "update_deal"],
  auditor: ["get_customer", "list_tickets", "list_deals"],
};
const tools = [
  "get_customer",
  "list_tickets",
  "close_ticket",
  "list_deals",
  "update_deal",
  "export_customers",
];
const groups = Object.keys(roles);

const policy = `package mcp.crm

import data.mcp.crm.roles

# METADATA
# custom: {id: crm.role_grants}
allow contains {"rule": rego.metadata.rule()} if {
  some group in input.user.groups
  some tool in roles[group]
  tool in {input.action.tool, "*"}
}

# METADATA
# custom: {id: crm.export_outside, code: export_outside}
deny contains {"rule": rego.metadata.rule()} if {
  input.action.tool == "export_customers"
  not "admin" in input.user.groups
  input.environment.region != "eu"
}
`;
const planted = `
# METADATA
# custom: {id: crm.no_bulk_close, code: no_bulk_close}
deny contains {"rule": rego.metadata.rule()} if {
  input.action.tool == "close_ticket"
  input.action.args.n % 100 == 0
}
`;

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const before = await build("before", policy);
  await build("after", policy + planted);
  const config = join(folder, "config.json");
  const servers = { crm: { command: "node", policy: `file:${join(folder, "before")}` } };
  const settings = {
    agent: { id: "bot" },
    user: { id: "u" },
    decisions: { store: "embedded" },
    servers,
  };
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });

  const records = await decide(before);
  const expected = records.filter(({ isPlanted }) => isPlanted).length;
  await spool(records);
  console.log(
    `${decisions} decisions made, ${expected} of them allowed and turned by the planted rule`,
  );

  run(["decision", "list", "--limit", "1", "-c", config]);
  const options = ["--since", "1d", "-c", config, "-o", "json"];
  const first = run(["replay", join(folder, "after.tar.gz"), ...options]);
  const second = run(["replay", join(folder, "after.tar.gz"), ...options]);
  console.log(`from the embedded store: ${first.stderr.trim()}`);
  console.log(`again:                   ${second.stderr.trim()}`);
  console.log(`two replays agree byte for byte: ${first.stdout === second.stdout}`);
  const { buckets, groups: found } = JSON.parse(first.stdout);
  console.log(
    `newly denied: ${buckets.newly_denied} (planted ${expected}), groups: ${found.length}`,
  );
}

async function build(name, rego) {
  const sources = join(folder, name);
  mkdirSync(sources);
  const metadata = { name: "crm", layer: "server", policy_package: "mcp.crm" };
  writeFileSync(
    join(sources, ".manifest"),
    JSON.stringify({ revision: name, roots: ["mcp/crm"], metadata }),
  );
  writeFileSync(join(sources, "policy.rego"), rego);
  mkdirSync(join(sources, "mcp", "crm"), { recursive: true });
  writeFileSync(join(sources, "mcp", "crm", "data.json"), JSON.stringify({ roles }));
  const file = join(folder, `${name}.tar.gz`);
  run(["policy", "build", sources, "-f", file]);
  const about = {
    name: "crm",
    kind: "server",
    reference: name,
    digest: `sha256:${name}`,
    origin: "folder",
  };
  return await openBundle(openArchive(readFileSync(file)), about, undefined);
}

async function decide(bundle) {
  const engine = createPolicyEngine({
    deadlineMs: 1000,
    inputMaxBytes: 1024 * 1024,
    memoryMaxMb: 64,
  });
  const [activated] = await engine.activate([{ name: "crm", kind: "server", bundle }]);
  if (activated?.ok !== true) throw activated?.error ?? new Error("the policy is not active");
  const records = [];
  for (let at = 0; at < decisions; at += 64) {
    const size = Math.min(64, decisions - at);
    records.push(
      ...(await Promise.all(Array.from({ length: size }, (_, n) => decideOne(engine, at + n)))),
    );
  }
  await engine.close();
  return records;
}

async function decideOne(engine, n) {
  const tool = tools[n % tools.length];
  const user = {
    id: `user${n % 97}`,
    groups: [groups[n % 7] ?? "sales"],
    data_classifications_authorized: ["public"],
  };
  const agent = {
    id: "bot",
    version: null,
    scope: "support",
    owner_team: null,
    model: null,
    parent: null,
    authenticated: true,
  };
  const context = {
    conversation_id: `c${n % 50}`,
    turn_count: n % 20,
    cumulative_tokens: n % 5000,
    session_age_seconds: n % 600,
    data_classes_seen: [],
    labels_seen: [],
    data_class_sources: {},
    label_sources: {},
    servers_called: ["crm"],
  };
  const timeMs = systemClock.nowMs();
  const decisionId = newId();
  const parts = buildCallInput({
    actor: { agent, user, environment: { region: n % 3 === 0 ? "us" : "eu", is_production: true } },
    client: { name: "bench", version: "1" },
    action: {
      type: "tool_call",
      direction: "to_server",
      server: "crm",
      about: { tool },
      annotations: { readOnlyHint: true },
      definition_digest: `sha256:${"0".repeat(64)}`,
      destination: { region: "eu", external: false },
    },
    sent: { args: JSON.stringify({ n, query: "customers of the last quarter", id: `cus_${n}` }) },
    classification: { dataClasses: ["customer_data"], labels: [] },
    context,
    serverContext: context,
    timeMs,
  });
  const { verdicts, inputJson, evalMs } = await engine.decide({
    server: "crm",
    parts,
    timeMs,
    seed: decisionId,
  });
  const { answer } = combine({
    decisionId,
    action: { type: "tool_call", server: "crm", tool },
    scope: "support",
    verdicts,
    nowMs: timeMs,
    serverCeiling: undefined,
    isApproved: () => false,
    canFulfil: () => true,
  });
  const record = {
    kind: "admission",
    decisionId,
    timeMs,
    tenant: "default",
    agent: "bot",
    user: user.id,
    server: "crm",
    tool,
    exposedName: `crm__${tool}`,
    actionType: "tool_call",
    protocolVersion: "2025-11-25",
    inputJson,
    argsSha256: `sha256:${"0".repeat(64)}`,
    answer,
    layers: verdicts,
    waivers: { used: [], expired: [], void: [] },
    dropped: [],
    timings: { policyMs: evalMs, totalMs: evalMs },
    posture: "strict",
  };
  return { record, isPlanted: answer.allow && tool === "close_ticket" && n % 100 === 0 };
}

async function spool(records) {
  mkdirSync(env.MCP_GATEWAY_STATE, { mode: 0o700 });
  const log = { error: console.error, warn: console.error, info: () => {}, debug: () => {} };
  const decisionLog = await createDecisionLog({
    stateDir: env.MCP_GATEWAY_STATE,
    store: { kind: "embedded" },
    clock: systemClock,
    log,
    newId,
    limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER },
    onFailure: "fail_operation",
    durability: "sync",
  });
  for (let at = 0; at < records.length; at += 2000) {
    await Promise.all(records.slice(at, at + 2000).map(({ record }) => decisionLog.admit(record)));
  }
  await decisionLog.close();
}

function run(args) {
  const ended = spawnSync(process.execPath, [bin, ...args], {
    env,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (ended.status !== 0) throw new Error(`mcp-gateway ${args.join(" ")}: ${ended.stderr}`);
  return ended;
}
