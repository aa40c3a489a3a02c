/**
 * Whether a soak went well: what it held in the second quarter of its time against the last, what it
 * held before anybody came against what it held after everybody left, and every fault. Pure.
 */

/**
 * @typedef {import("./process-sample.js").ProcessSample & { heapMb: number }} Sample
 * @typedef {{ samples: readonly Sample[], baseline: Sample, after: Sample, seconds: number,
 *   faultCount: number, errorLines: number, exitCode: number | null }} Soak
 * @typedef {{ second: Sample, last: Sample, failures: readonly string[] }} Verdict
 */

/** Before, the first clients are still coming. */
const leastSecondsForGrowth = 120;
/** Caches fill, and V8 takes memory for some minutes before it begins to reuse it. */
const leastSecondsForMemory = 480;
const maxMemoryGrowth = 0.1;
const freeHeapGrowthMb = 5;
const freeRssGrowthMb = 20;
/** Clients come and go by chance; so do the processes and connections that they need. */
const maxFdGrowth = 0.05;
const freeFdGrowth = 30;
const freeChildGrowth = 5;
const freeFdsAfter = 2;
/** @type {readonly { member: "heapMb" | "rssMb", name: string }[]} */
const memories = [
  { member: "heapMb", name: "what lives in memory" },
  { member: "rssMb", name: "memory" },
];
/** @type {readonly { member: "fds" | "threads" | "children", name: string }[]} */
const kinds = [
  { member: "fds", name: "descriptors" },
  { member: "threads", name: "threads" },
  { member: "children", name: "processes" },
];

/**
 * @param {Soak} soak
 * @returns {Verdict}
 */
export function judge({ samples, baseline, after, seconds, faultCount, errorLines, exitCode }) {
  const quarter = Math.floor(samples.length / 4);
  const second = medians(samples.slice(quarter, 2 * quarter));
  const last = medians(samples.slice(3 * quarter));
  /** @type {string[]} */
  const failures = [];
  const expect = (/** @type {boolean} */ holds, /** @type {string} */ failure) => {
    if (!holds) failures.push(failure);
  };
  expect(samples.length >= 8, `expected 8 samples or more, found ${samples.length}`);
  if (seconds >= leastSecondsForGrowth) {
    failures.push(...growthOf(second, last));
  }
  if (seconds >= leastSecondsForMemory) failures.push(...memoryGrowthOf(second, last));
  expect(
    isAtRest(after, baseline),
    `after all clients left: ${after.fds} descriptors and ${after.children} processes, before them ${baseline.fds} and ${baseline.children}`,
  );
  expect(faultCount === 0, `${faultCount} wrong answers or unexpected errors`);
  expect(errorLines === 0, `${errorLines} errors in the gateway's log`);
  expect(exitCode === 0, `the gateway ended with ${exitCode}`);
  return { second, last, failures };
}

/**
 * @param {Sample} second
 * @param {Sample} last
 * @returns {readonly string[]}
 */
function growthOf(second, last) {
  const allowed = {
    fds: second.fds + Math.max(freeFdGrowth, second.fds * maxFdGrowth),
    threads: second.threads,
    children: second.children + freeChildGrowth,
  };
  return kinds
    .filter(({ member }) => last[member] > allowed[member])
    .map(({ member, name }) => `${name} grew from ${second[member]} to ${last[member]}`);
}

/**
 * @param {Sample} second
 * @param {Sample} last
 * @returns {readonly string[]}
 */
function memoryGrowthOf(second, last) {
  const allowed = {
    heapMb: Math.max(second.heapMb + freeHeapGrowthMb, second.heapMb * (1 + maxMemoryGrowth)),
    rssMb: Math.max(second.rssMb + freeRssGrowthMb, second.rssMb * (1 + maxMemoryGrowth)),
  };
  return memories
    .filter(({ member }) => last[member] > allowed[member])
    .map(({ member, name }) => `${name} grew by ${growth(second[member], last[member])}`);
}

/**
 * True where nothing is left of those who came after the baseline.
 *
 * @param {Sample} after
 * @param {Sample} baseline
 */
export function isAtRest(after, baseline) {
  return after.fds <= baseline.fds + freeFdsAfter && after.children <= baseline.children;
}

/**
 * @param {number} before
 * @param {number} after
 */
export function growth(before, after) {
  return `${(100 * (after / before - 1)).toFixed(1)} %`;
}

/**
 * @param {readonly Sample[]} samples
 * @returns {Sample}
 */
function medians(samples) {
  const median = (/** @type {keyof Sample} */ member) =>
    samples.map((sample) => sample[member]).toSorted((a, b) => a - b)[samples.length >> 1] ?? 0;
  return {
    heapMb: median("heapMb"),
    rssMb: median("rssMb"),
    fds: median("fds"),
    threads: median("threads"),
    children: median("children"),
  };
}
