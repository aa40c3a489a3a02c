/**
 * Whether a soak went well: what it held in the second quarter of its time against the last, what it
 * held before anybody came against what it held after everybody left, and every fault. Pure.
 */

/**
 * @typedef {import("./process-sample.js").Sample} Sample
 * @typedef {{ samples: readonly Sample[], baseline: Sample, after: Sample, seconds: number,
 *   faultCount: number, errorLines: number, exitCode: number | null }} Soak
 * @typedef {{ second: Sample, last: Sample, rssGrowth: number, failures: readonly string[] }} Verdict
 */

/** V8 takes memory for some minutes before it begins to reuse it, while what lives stays the same. */
const leastSecondsForMemory = 480;
const maxRssGrowth = 0.1;
const freeRssGrowthMb = 20;
/** Clients come and go by chance; so do the processes and connections that they need. */
const maxFdGrowth = 0.05;
const freeFdGrowth = 30;
const freeChildGrowth = 5;
const freeFdsAfter = 2;

/**
 * @param {Soak} soak
 * @returns {Verdict}
 */
export function judge({ samples, baseline, after, seconds, faultCount, errorLines, exitCode }) {
  const quarter = Math.floor(samples.length / 4);
  const second = medians(samples.slice(quarter, 2 * quarter));
  const last = medians(samples.slice(3 * quarter));
  const rssGrowth = last.rssMb / second.rssMb - 1;
  /** @type {string[]} */
  const failures = [];
  const expect = (/** @type {boolean} */ holds, /** @type {string} */ failure) => {
    if (!holds) failures.push(failure);
  };
  expect(samples.length >= 8, `expected 8 samples or more, found ${samples.length}`);
  if (seconds >= leastSecondsForMemory) {
    const isSmall = last.rssMb - second.rssMb <= freeRssGrowthMb;
    expect(isSmall || rssGrowth <= maxRssGrowth, `memory grew by ${percent(rssGrowth)}`);
  }
  const fdsAllowed = second.fds + Math.max(freeFdGrowth, second.fds * maxFdGrowth);
  expect(last.fds <= fdsAllowed, `descriptors grew from ${second.fds} to ${last.fds}`);
  const childrenAllowed = second.children + freeChildGrowth;
  expect(
    last.children <= childrenAllowed,
    `processes grew from ${second.children} to ${last.children}`,
  );
  expect(last.threads <= second.threads, `threads grew from ${second.threads} to ${last.threads}`);
  expect(
    isAtRest(after, baseline),
    `after all clients left: ${after.fds} descriptors and ${after.children} processes, before them ${baseline.fds} and ${baseline.children}`,
  );
  expect(faultCount === 0, `${faultCount} wrong answers or unexpected errors`);
  expect(errorLines === 0, `${errorLines} errors in the gateway's log`);
  expect(exitCode === 0, `the gateway ended with ${exitCode}`);
  return { second, last, rssGrowth, failures };
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

/** @param {number} share */
export function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

/**
 * @param {readonly Sample[]} samples
 * @returns {Sample}
 */
function medians(samples) {
  const median = (/** @type {keyof Sample} */ member) =>
    samples.map((sample) => sample[member]).toSorted((a, b) => a - b)[samples.length >> 1] ?? 0;
  return {
    rssMb: median("rssMb"),
    fds: median("fds"),
    threads: median("threads"),
    children: median("children"),
  };
}
