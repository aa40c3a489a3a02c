/**
 * `node bench/replay.js [DECISIONS]`: records so many decisions of an RBAC policy (100,000 unless said
 * otherwise), lets `mcp-gateway replay` try a candidate with a planted rule on them twice, and prints
 * the rates, what the process took, whether both said the same byte for byte, and whether what they
 * found is what the planted rule turns, which was counted while the decisions were made. Exit code 1
 * where it is not.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openArchive } from "../dist/bundle/archive.js";
import { openBundle } from "../dist/bundle/open-bundle.js";
import { makeHistory, roles } from "./replay/make-history.js";

const decisions = Number(process.argv[2] ?? 100_000);
const bin = fileURLToPath(new URL("../dist/bin/main.js", import.meta.url));
const tellUsage = new URL("replay/tell-usage.js", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "bench-replay-"));
const stateDir = join(folder, "state");
const env = { ...process.env, MCP_GATEWAY_STATE: stateDir, HOME: folder };

const policy = `package mcp.crm

import data.mcp.crm.roles

# METADATA
# custom: {id: crm.role_grants}
allow contains {"rule": rego.metadata.rule()} if {
  some group in input.user.groups
  some tool in roles[group]
  tool in {input.action.tool, "*"}
}
`;
const planted = `
# METADATA
# custom: {id: crm.planted, code: planted}
deny contains {"rule": rego.metadata.rule()} if {
  input.action.tool == "close_ticket"
  input.action.args.n % 100 == 2
}
`;

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  mkdirSync(stateDir, { mode: 0o700 });
  const bundle = await build("before", policy);
  await build("after", `${policy}${planted}`);
  const expected = { newly_denied: 0, reason_only: 0 };
  const startedMs = performance.now();
  await makeHistory({
    stateDir,
    bundle,
    decisions,
    onRecord: ({ tool, answer }, place) => {
      if (tool !== "close_ticket" || place % 100 !== 2) return;
      expected[answer.allow ? "newly_denied" : "reason_only"] += 1;
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`${decisions} decisions made and recorded in ${seconds.toFixed(1)} s`);

  const config = writeConfig();
  const [first, second] = [replay(config), replay(config)];
  const found = JSON.parse(first).buckets;
  const wanted = { ...zeroOf(found), ...expected };
  const isSame = first === second;
  const isExact = JSON.stringify(found) === JSON.stringify(wanted);
  console.log(`two replays agree byte for byte: ${isSame}`);
  console.log(
    `planted: ${expected.newly_denied} newly denied, ${expected.reason_only} for another reason; found exactly these: ${isExact}`,
  );
  if (!isSame || !isExact) process.exitCode = 1;
}

/** @param {Record<string, number>} buckets */
function zeroOf(buckets) {
  return Object.fromEntries(Object.keys(buckets).map((name) => [name, 0]));
}

function writeConfig() {
  const config = join(folder, "config.json");
  const servers = { crm: { command: "node", policy: `file:${join(folder, "before")}` } };
  const decided = { store: "embedded" };
  const settings = { agent: { id: "bot" }, user: { id: "u" }, decisions: decided, servers };
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
  return config;
}

/**
 * Replays in a process of its own, prints how that went, and returns the report.
 *
 * @param {string} config
 */
function replay(config) {
  const candidate = join(folder, "after.tar.gz");
  const ended = run(["replay", candidate, "--since", "1d", "-c", config, "-o", "json"]);
  const rate = Number(/(\d+) decisions a second/.exec(ended.stderr)?.[1]);
  const { cpuSeconds, peakMb } = JSON.parse(ended.usage);
  const cpuEach = ((cpuSeconds * 1e6) / decisions).toFixed(0);
  // This candidate is one layer with one entrypoint: one evaluation for each decision.
  console.log(
    `${rate} decisions and layer evaluations a second on ${availableParallelism()} cores; cpu ${cpuSeconds.toFixed(1)} s, ${cpuEach} µs each; peak ${peakMb.toFixed(0)} MB`,
  );
  console.log(`  ${ended.stderr.trim()}`);
  return ended.stdout;
}

/**
 * @param {string} name
 * @param {string} rego
 */
async function build(name, rego) {
  const sources = join(folder, name);
  mkdirSync(join(sources, "mcp", "crm"), { recursive: true });
  const metadata = { name: "crm", layer: "server", policy_package: "mcp.crm" };
  const manifest = { revision: name, roots: ["mcp/crm"], metadata };
  writeFileSync(join(sources, ".manifest"), JSON.stringify(manifest));
  writeFileSync(join(sources, "policy.rego"), rego);
  writeFileSync(join(sources, "mcp", "crm", "data.json"), JSON.stringify({ roles }));
  const file = join(folder, `${name}.tar.gz`);
  run(["policy", "build", sources, "-f", file]);
  /** @type {Parameters<typeof openBundle>[1]} */
  const about = {
    name: "crm",
    kind: "server",
    reference: name,
    digest: `sha256:${"a".repeat(64)}`,
    origin: "folder",
  };
  return await openBundle(openArchive(readFileSync(file)), about, undefined);
}

/** @param {readonly string[]} args */
function run(args) {
  const ended = spawnSync(process.execPath, ["--import", tellUsage, bin, ...args], {
    env,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  if (ended.status !== 0) throw new Error(`mcp-gateway ${args.join(" ")}: ${ended.stderr}`);
  return { stdout: ended.stdout, stderr: ended.stderr, usage: ended.output[3] ?? "" };
}
