/**
 * What all clients of a soak did, and what went wrong: counted, and the first faults kept in words.
 */

const keptFaults = 20;

/**
 * @typedef {{ count: (what: string) => void, fault: (what: string) => void,
 *   counts: ReadonlyMap<string, number>, faults: readonly string[],
 *   readonly requests: number, readonly faultCount: number }} Tally
 */

/**
 * Starts at nothing.
 *
 * @returns {Tally}
 */
export function createTally() {
  /** @type {Map<string, number>} */
  const counts = new Map();
  /** @type {string[]} */
  const faults = [];
  let requests = 0;
  let faultCount = 0;
  return {
    counts,
    faults,
    count: (what) => {
      requests += 1;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    },
    fault: (what) => {
      faultCount += 1;
      if (faults.length < keptFaults) faults.push(what);
    },
    get requests() {
      return requests;
    },
    get faultCount() {
      return faultCount;
    },
  };
}
