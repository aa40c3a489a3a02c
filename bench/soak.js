/**
 * `node bench/soak.js [--clients 500] [--minutes 10] [--rate 200]`: many clients of both eras over
 * HTTP before servers on stdio and on HTTP, for a while. Every answer has to be its client's own,
 * and the gateway may grow neither in memory nor in descriptors nor in processes, and holds after the
 * last client no more than before the first. Ends with 1 where it is otherwise. Growth under load is
 * judged by runs of two minutes and more, memory by runs of eight.
 */
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { growth, isAtRest, judge } from "./soak/judge.js";
import { countLines } from "./soak/log-lines.js";
import { startGateway } from "./soak/start-gateway.js";
import { createTally } from "./soak/tally.js";
import { liveOn, warmUp } from "./soak/world.js";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "500" },
    minutes: { type: "string", default: "10" },
    rate: { type: "string", default: "200" },
    idle: { type: "string", default: "20" },
    keep: { type: "boolean", default: false },
  },
});
const clients = Number(values.clients);
const seconds = Number(values.minutes) * 60;
const idleSeconds = Number(values.idle);
const sampleSeconds = Math.min(5, seconds / 16);
/** Sessions are looked through every 15 s, and a machine may be slow. */
const restSeconds = idleSeconds + 60;

const folder = mkdtempSync(join(tmpdir(), "soak-"));
// Everything that is written from here on, by children too, is below one folder.
process.env["TMPDIR"] = folder;
const gateway = await startGateway(folder, { idleSeconds, sampleSeconds });
const tally = createTally();
const ending = new AbortController();
setMaxListeners(0, ending.signal);
const { url, tokens } = gateway;
const world = {
  url,
  tokens,
  tally,
  clients,
  ending: ending.signal,
  requestsPerSecond: Number(values.rate),
  visitSeconds: Math.min(30, seconds / 3),
};

let exitCode = 1;
try {
  exitCode = await soak();
} finally {
  if (values.keep) console.log(`kept in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
process.exitCode = exitCode;

async function soak() {
  await warmUp(world);
  const baseline = await rest();
  print([
    "MINUTE",
    "REQUESTS",
    "PER S",
    "HEAP MB",
    "RSS MB",
    "FDS",
    "THREADS",
    "CHILDREN",
    "FAULTS",
  ]);
  printSample("idle", baseline, 0);
  const began = performance.now();
  const living = liveOn(world);
  const samples = await watch(began);
  ending.abort();
  await living;
  const after = await rest(baseline);
  printSample("after", after, 0);
  const ended = await gateway.close();
  const lines = countLines(gateway.stderr());
  const verdict = judge({
    samples,
    baseline,
    after,
    seconds,
    exitCode: ended,
    faultCount: tally.faultCount,
    errorLines: lines.errors,
  });
  return report(verdict, lines);
}

/** @param {number} began */
async function watch(began) {
  const samples = [];
  let before = { minute: 0, requests: tally.requests };
  for (let at = sampleSeconds; at <= seconds; at += sampleSeconds) {
    await wait(Math.max(0, began + at * 1000 - performance.now()));
    const sample = gateway.sample();
    samples.push(sample);
    const minute = Math.floor(at / 60);
    if (minute === before.minute && at + sampleSeconds <= seconds) continue;
    const spanSeconds = at - before.minute * 60;
    printSample(String(minute), sample, (tally.requests - before.requests) / spanSeconds);
    before = { minute, requests: tally.requests };
  }
  return samples;
}

/**
 * What is held once nobody is there; waits for the idle times of sessions and servers.
 *
 * @param {import("./soak/judge.js").Sample} [baseline]
 */
async function rest(baseline) {
  const deadlineMs = performance.now() + restSeconds * 1000;
  let sample = gateway.sample();
  let steady = 0;
  while (performance.now() < deadlineMs) {
    if (baseline !== undefined && isAtRest(sample, baseline)) return sample;
    await wait(500);
    const next = gateway.sample();
    steady = next.children === sample.children && next.fds === sample.fds ? steady + 0.5 : 0;
    sample = next;
    if (baseline === undefined && steady > idleSeconds + 1) break;
  }
  return sample;
}

/**
 * @param {import("./soak/judge.js").Verdict} verdict
 * @param {import("./soak/log-lines.js").LogLines} lines
 */
function report({ second, last, failures }, lines) {
  printSample("2nd qu.", second, 0);
  printSample("4th qu.", last, 0);
  const heapGrowth = growth(second.heapMb, last.heapMb);
  const rssGrowth = growth(second.rssMb, last.rssMb);
  console.log(`memory from the second quarter to the last: heap ${heapGrowth}, rss ${rssGrowth}`);
  for (const [method, count] of tally.counts) console.log(`${count} ${method}`);
  for (const [line, count] of lines.byMessage) console.log(`gateway's log: ${count} ${line}`);
  for (const fault of tally.faults) console.log(`FAULT ${fault}`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  if (failures.length === 0) console.log("nothing grew, nobody got what was not theirs");
  return failures.length === 0 ? 0 : 1;
}

/**
 * @param {string} minute
 * @param {import("./soak/judge.js").Sample} sample
 * @param {number} perSecond
 */
function printSample(minute, { heapMb, rssMb, fds, threads, children }, perSecond) {
  const numbers = [
    tally.requests,
    perSecond,
    heapMb,
    rssMb,
    fds,
    threads,
    children,
    tally.faultCount,
  ];
  print([minute, ...numbers.map((number) => number.toFixed(0))]);
}

/** @param {string[]} cells */
function print(cells) {
  console.log(cells.map((cell) => cell.padStart(9)).join(""));
}
