/**
 * `node bench/bundle-life.js [ACTIVATIONS]`: with Debian's docker-registry and a running gateway, how
 * long from a push until it decides at a one-second cadence, what a thousand activations leave in
 * memory, and how long a bundle of 1 MB takes to pull. Needs `npm run build`.
 */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, startPeer } from "./stdio-peer.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "dist", "bin", "main.js");
const work = mkdtempSync(join(tmpdir(), "bench-bundle-life-"));
const env = {
  ...process.env,
  MCP_GATEWAY_STATE: join(work, "state"),
  XDG_CACHE_HOME: join(work, "cache"),
  MCP_GATEWAY_LOG: "error",
};
const wanted = Number(process.argv[2] ?? 1000);
const servers = Array.from({ length: 10 }, (_, index) => `crm${index}`);
const rego = {
  v1: 'allow contains "any" if input.action.type == "tool_call"',
  v2: 'allow contains "nothing" if input.action.type == "none"',
};
const mediaType = "application/vnd.oci.image.manifest.v1+json";

const host = `127.0.0.1:${await freePort()}`;
const registry = await startRegistry();
/** @type {Record<string, { v1: Buffer, v2: Buffer }>} */
const manifests = {};
for (const name of servers) {
  manifests[name] = { v1: await push(name, "v1"), v2: await push(name, "v2") };
  await point(name, "v1");
}
const peer = startPeer([bin, "serve", "--stdio", "--config", writeConfig()], env);
await peer.initialize();
while (!(await isAllowed("crm0"))) await delay(50);

await measureLive();
await measureMemory();
await peer.end();
await measurePull();
registry.kill("SIGTERM");
rmSync(work, { recursive: true, force: true });

async function measureLive() {
  /** @type {number[]} */
  const took = [];
  for (let round = 0; round < 20; round += 1) {
    await delay(Math.random() * 1000);
    const isGrant = round % 2 === 1;
    await point("crm0", isGrant ? "v1" : "v2");
    const startedMs = performance.now();
    while ((await isAllowed("crm0")) !== isGrant) await delay(5);
    took.push(performance.now() - startedMs);
  }
  const sorted = took.toSorted((a, b) => a - b);
  console.log(
    `push to live, poll 1s, 20 rounds: median ${median(took).toFixed(0)} ms, slowest ${(sorted.at(-1) ?? 0).toFixed(0)} ms`,
  );
}

/** Ten sources change together, and all of them decide before they change again. */
async function measureMemory() {
  console.log("ACTIVATIONS   RSS MB");
  for (let done = 0; done <= wanted; done += servers.length) {
    if (done % (wanted / 10) === 0) {
      console.log(`${String(done).padStart(11)}   ${residentMb(peer.pid)}`);
    }
    const isGrant = (done / servers.length) % 2 === 1;
    await Promise.all(servers.map((name) => point(name, isGrant ? "v1" : "v2")));
    for (const name of servers) while ((await isAllowed(name)) !== isGrant) await delay(20);
  }
}

async function measurePull() {
  const folder = writeFolder("crm0", "big", rego.v1);
  const data = { mcp: { crm0: { noise: randomBytes(768 * 1024).toString("base64") } } };
  writeFileSync(join(folder, "data.json"), JSON.stringify(data));
  const reference = `oci://${host}/policies/big:v1`;
  await cli("bundle", "push", folder, reference);
  /** @type {number[]} */
  const took = [];
  /** @type {number[]} */
  const help = [];
  for (let round = 0; round < 7; round += 1) {
    rmSync(join(work, "cache"), { recursive: true, force: true });
    took.push(await timed(() => cli("bundle", "pull", reference)));
    help.push(await timed(() => cli("bundle", "--help")));
  }
  console.log(
    `pull of a bundle of 1 MB (of noise), checked and opened: median ${median(took).toFixed(0)} ms, of which the command's start ${median(help).toFixed(0)} ms`,
  );
}

/** @param {number} pid */
function residentMb(pid) {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kb) / 1024);
}

/** @param {string} server */
async function isAllowed(server) {
  const params = { name: `${server}__search_customers`, arguments: {} };
  const { result } = JSON.parse(await peer.request("tools/call", params));
  return result !== undefined && result.isError !== true;
}

/**
 * Pushes one revision of a server's policy; returns its manifest.
 *
 * @param {string} name
 * @param {"v1" | "v2"} revision
 */
async function push(name, revision) {
  const reference = `oci://${host}/policies/${name}:${revision}`;
  await cli("bundle", "push", writeFolder(name, revision, rego[revision]), reference);
  const headers = { accept: mediaType };
  const answer = await fetch(`http://${host}/v2/policies/${name}/manifests/${revision}`, {
    headers,
  });
  return Buffer.from(await answer.arrayBuffer());
}

/**
 * Lets the tag that is polled stand for a revision.
 *
 * @param {string} name
 * @param {"v1" | "v2"} revision
 */
async function point(name, revision) {
  const { status } = await fetch(`http://${host}/v2/policies/${name}/manifests/live`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: manifests[name]?.[revision] ?? null,
  });
  if (status !== 201) throw new Error(`expected the registry to take a tag, found ${status}`);
}

/**
 * @param {string} name
 * @param {string} revision
 * @param {string} rules
 */
function writeFolder(name, revision, rules) {
  const folder = join(work, `${name}-${revision}`);
  mkdirSync(folder, { recursive: true });
  const metadata = { name, layer: "server", policy_package: `mcp.${name}` };
  const manifest = { revision, roots: [`mcp/${name}`], metadata };
  writeFileSync(join(folder, ".manifest"), JSON.stringify(manifest));
  writeFileSync(join(folder, "policy.rego"), `package mcp.${name}\n\n${rules}\n`);
  return folder;
}

function writeConfig() {
  const entries = servers.map((name) => {
    const bundle = `oci://${host}/policies/${name}:live`;
    const policy = { bundle, require: "none", poll: "1s" };
    return [name, { command: "node", args: [join(root, "bench", "echo-server.js")], policy }];
  });
  const path = join(work, "mcp-gateway.config.json");
  const actor = { agent: { id: "bench" }, user: { id: "bench" } };
  const environment = { region: "here", is_production: false };
  const config = { ...actor, environment, servers: Object.fromEntries(entries) };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** @param {string[]} args */
async function cli(...args) {
  await promisify(execFile)(process.execPath, [bin, ...args], { env, cwd: work });
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function startRegistry() {
  const config = join(work, "registry.json");
  const storage = { filesystem: { rootdirectory: join(work, "registry") } };
  const log = { level: "error", accesslog: { disabled: true } };
  writeFileSync(config, JSON.stringify({ version: "0.1", log, storage, http: { addr: host } }));
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  for (;;) {
    await delay(100);
    try {
      if ((await fetch(`http://${host}/v2/`)).ok) return child;
    } catch {
      // It is not up yet.
    }
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
