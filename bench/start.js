/**
 * `node bench/start.js`: how long until `initialize` is answered, against a node that does nothing,
 * in turn; and what an idle gateway holds in memory against an idle node.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { median, startPeer } from "./stdio-peer.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const state = mkdtempSync(join(tmpdir(), "bench-start-"));
const env = { ...process.env, MCP_GATEWAY_STATE: state, MCP_GATEWAY_LOG: "error" };
const serve = [
  join(root, "dist", "bin", "main.js"),
  "serve",
  "--stdio",
  "--config",
  join(root, "mcp-gateway.config.json"),
];

/** @type {number[]} */
const bare = [];
/** @type {number[]} */
const gateway = [];
for (let round = 0; round < 21; round += 1) {
  bare.push(await timed(runNothing));
  const peer = startPeer(serve, env);
  gateway.push(await timed(peer.initialize));
  await peer.end();
}
const ratio = median(gateway.map((value, round) => value / (bare[round] ?? Number.NaN)));
console.log(
  `node -e 0: ${median(bare).toFixed(0)} ms; start until initialize is answered: ${median(gateway).toFixed(0)} ms; ratio ${ratio.toFixed(2)}`,
);

const idleNode = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
  stdio: "ignore",
});
const idleGateway = startPeer(serve, env);
await idleGateway.initialize();
await idleGateway.request("tools/list", {});
await delay(3000);
console.log(
  `resident memory idle: node ${residentMb(idleNode.pid ?? 0)} MB, gateway with six bundles ${residentMb(idleGateway.pid)} MB`,
);
idleNode.kill();
await idleGateway.end();

function runNothing() {
  return new Promise((resolve) => {
    spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }).once("exit", resolve);
  });
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** @param {number} pid */
function residentMb(pid) {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}
