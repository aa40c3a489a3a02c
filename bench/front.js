/**
 * `node bench/front.js`: what the HTTP front costs a call of either era, beside a bare `node:http`
 * echo that gets the same bytes, in interleaved blocks of one run. The gateway behind the front
 * answers at once, so that what is measured is the front: checks, sessions, framing. Prints medians
 * and ratios; run it pinned to one CPU (`taskset -c 1`) for ratios that hold.
 */
import { startFront } from "./front/start-front.js";
import { openCaller } from "./front/caller.js";
import { median } from "./stdio-peer.js";

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 40);
const callsPerBlock = 50;
const warmUpCalls = Number(process.env["BENCH_WARM"] ?? 2000);

const front = await startFront();
const legacy = await openCaller(front.frontUrl, "legacy");
const modern = await openCaller(front.frontUrl, "modern");
const echoLegacy = await openCaller(front.echoUrl, "legacy");
const echoModern = await openCaller(front.echoUrl, "modern");

/** @type {readonly { name: string, baseline: string, call: () => Promise<void> }[]} */
const subjects = [
  { name: "echo, legacy bytes", baseline: "echo, legacy bytes", call: echoLegacy.call },
  { name: "echo, modern bytes", baseline: "echo, modern bytes", call: echoModern.call },
  { name: "front, legacy", baseline: "echo, legacy bytes", call: legacy.call },
  { name: "front, modern", baseline: "echo, modern bytes", call: modern.call },
  { name: "echo again (A/A)", baseline: "echo, legacy bytes", call: echoLegacy.call },
];

for (const { call } of subjects) await block(call, warmUpCalls);
/** @type {Map<string, number[]>} */
const medians = new Map(subjects.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const { name, call } of round % 2 === 0 ? subjects : subjects.toReversed()) {
    medians.get(name)?.push(median(await block(call, callsPerBlock)));
  }
}
report();
for (const caller of [legacy, modern, echoLegacy, echoModern]) caller.close();
await front.close();

/**
 * @param {() => Promise<void>} call
 * @param {number} calls
 */
async function block(call, calls) {
  const durations = [];
  for (let made = 0; made < calls; made += 1) {
    const startedMs = performance.now();
    await call();
    durations.push(performance.now() - startedMs);
  }
  return durations;
}

function report() {
  for (const { name, baseline } of subjects) {
    const values = medians.get(name) ?? [];
    const base = medians.get(baseline) ?? [];
    const ratio = median(values.map((value, round) => value / (base[round] ?? Number.NaN)));
    const p50 = (median(values) * 1000).toFixed(0);
    console.log(`${name}: p50 ${p50} µs, ${ratio.toFixed(2)} of its echo`);
  }
}
