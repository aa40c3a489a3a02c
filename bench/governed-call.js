/**
 * `node bench/governed-call.js`: what a governed call costs beside the same call made directly and
 * beside one write and fdatasync of a record, in interleaved blocks of one run. Prints medians and
 * ratios; run it pinned to one CPU (`taskset -c 1`) for ratios that hold.
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

const direct = startPeer([echo]);
const governed = startPeer(
  [join(root, "dist", "bin", "main.js"), "serve", "--stdio", "--config", writeConfig()],
  {
    ...process.env,
    MCP_GATEWAY_STATE: join(folder, "state"),
    MCP_GATEWAY_LOG: "error",
  },
);
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
  "governed call": async () => {
    const answer = await governed.request("tools/call", {
      name: "crm__search_customers",
      arguments: args,
    });
    if (answer.includes('"isError"')) throw new Error(`the call was not allowed: ${answer}`);
  },
};

await direct.initialize();
await governed.initialize();
await governed.request("tools/list", {});
for (const subject of Object.values(subjects)) await block(subject, 400);

/** @type {Record<string, number[]>} */
const medians = {};
for (let round = 0; round < rounds; round += 1) {
  const names = Object.keys(subjects);
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    (medians[name] ??= []).push(median(await block(subjects[name], callsPerBlock)));
  }
}
report();
console.log(`resident memory of the idle gateway: ${residentMb(governed.pid)} MB`);
await direct.end();
await governed.end();
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
    console.log(
      `${name}: p50 ${(median(values) * 1000).toFixed(0)} µs, ${toDirect.toFixed(1)} D, ${toDisk.toFixed(2)} F`,
    );
  }
}

/** The demo's configuration with the echo in place of its CRM. */
function writeConfig() {
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
    layers: ["identity", "workflow", "compliance", "overrides"].map(layer),
  };
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** @param {number} pid */
function residentMb(pid) {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}
