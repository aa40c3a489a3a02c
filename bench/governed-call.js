/**
 * `node bench/governed-call.js`: what a governed call costs beside the same call made directly and
 * beside one write and fdatasync of a record, in interleaved blocks of one run. With two layers
 * and with five. Prints medians, 99th percentiles and ratios; run it pinned to one CPU (`taskset -c 1`) for ratios that hold.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, startPeer } from "./stdio-peer.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const echo = join(root, "bench", "echo-server.js");
const folder = mkdtempSync(join(tmpdir(), "bench-"));
const rounds = 30;
const callsPerBlock = 50;
const args = { query: "Northwind" };

const layerKinds = ["identity", "workflow", "compliance", "overrides"];
const direct = startPeer([echo]);
const withFive = startGateway("five", layerKinds);
const withTwo = startGateway("two", layerKinds.slice(0, 1));
const record = await open(join(folder, "record"), "a");
const recordBytes = Buffer.alloc(4096, 0x61);

/** @type {Record<string, () => Promise<unknown>>} */
const subjects = {
  "direct call (D)": () =>
    direct.request("tools/call", { name: "search_customers", arguments: args }),
  "write + fdatasync (F)": async () => {
    await record.write(recordBytes);
    await record.datasync();
  },
  "governed call, two layers": () => call(withTwo),
  "governed call, five layers": () => call(withFive),
};

await direct.initialize();
for (const governed of [withTwo, withFive]) {
  await governed.initialize();
  await governed.request("tools/list", {});
}
for (const subject of Object.values(subjects)) await block(subject, 400);

/** @type {Record<string, number[]>} */
const medians = {};
/** @type {Record<string, number[]>} */
const all = {};
for (let round = 0; round < rounds; round += 1) {
  const names = Object.keys(subjects);
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const durations = await block(subjects[name], callsPerBlock);
    (medians[name] ??= []).push(median(durations));
    (all[name] ??= []).push(...durations);
  }
}
report();
console.log(`resident memory of the idle gateway, five layers: ${residentMb(withFive.pid)} MB`);
for (const peer of [direct, withTwo, withFive]) await peer.end();
await record.close();
rmSync(folder, { recursive: true });

/**
 * @param {(() => Promise<unknown>) | undefined} subject
 * @param {number} calls
 */
async function block(subject, calls) {
  const durations = [];
  for (let call = 0; call < calls; call += 1) {
    const startedMs = performance.now();
    await subject?.();
    durations.push(performance.now() - startedMs);
  }
  return durations;
}

function report() {
  const base = medians["direct call (D)"] ?? [];
  const disk = medians["write + fdatasync (F)"] ?? [];
  for (const [name, values] of Object.entries(medians)) {
    const toDirect = median(values.map((value, round) => value / (base[round] ?? Number.NaN)));
    const toDisk = median(values.map((value, round) => value / (disk[round] ?? Number.NaN)));
    const p99 = percentile(all[name] ?? [], 0.99);
    console.log(
      `${name}: p50 ${inMicroseconds(median(values))}, p99 ${inMicroseconds(p99)}, ${toDirect.toFixed(1)} D, ${toDisk.toFixed(2)} F`,
    );
  }
}

/** @param {number} milliseconds */
function inMicroseconds(milliseconds) {
  return `${(milliseconds * 1000).toFixed(0)} µs`;
}

/**
 * @param {number[]} values
 * @param {number} share
 */
function percentile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

/** @param {ReturnType<typeof startPeer>} governed */
async function call(governed) {
  const params = { name: "crm__search_customers", arguments: args };
  const answer = await governed.request("tools/call", params);
  if (answer.includes('"isError"')) throw new Error(`the call was not allowed: ${answer}`);
}

/**
 * A gateway with a state folder of its own.
 * @param {string} name
 * @param {string[]} layers beside the server's own
 */
function startGateway(name, layers) {
  const config = writeConfig(name, layers);
  return startPeer([join(root, "dist", "bin", "main.js"), "serve", "--stdio", "--config", config], {
    ...process.env,
    MCP_GATEWAY_STATE: join(folder, `state-${name}`),
    MCP_GATEWAY_LOG: "error",
  });
}

/**
 * The demo's configuration with the echo in place of its CRM.
 * @param {string} name
 * @param {string[]} layers
 */
function writeConfig(name, layers) {
  const layer = (/** @type {string} */ kind) => ({
    name: kind,
    kind,
    policy: `oci-layout:${root}/bundles/dist:${kind}`,
  });
  const config = {
    agent: { id: "support-bot", scope: "customer_support" },
    user: {
      id: "alice",
      groups: ["support"],
      data_classifications_authorized: ["public", "internal", "customer_data", "contact_data"],
    },
    environment: { region: "us-east", is_production: true },
    servers: {
      crm: {
        command: process.execPath,
        args: [echo],
        policy: `oci-layout:${root}/bundles/dist:crm`,
        region: "us-east",
        tools: { search_customers: { data_classes: ["customer_data"] } },
      },
    },
    layers: layers.map(layer),
  };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** @param {number} pid */
function residentMb(pid) {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}
