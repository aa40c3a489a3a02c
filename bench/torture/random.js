/**
 * Chance from a seed, so that a run that found something makes the same choices again. What the
 * machine does meanwhile is its own.
 */

/**
 * @typedef {{ between: (from: number, to: number) => number, whole: (from: number, to: number) => number,
 *   isTrue: (share: number) => boolean, pick: <T>(items: readonly T[]) => T }} Random
 */

/**
 * @param {number} seed
 * @returns {Random}
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (/** @type {number} */ from, /** @type {number} */ to) =>
    from + next() * (to - from);
  const whole = (/** @type {number} */ from, /** @type {number} */ to) =>
    Math.floor(between(from, to + 1));
  return {
    between,
    whole,
    isTrue: (share) => next() < share,
    pick: (items) => {
      const picked = items[whole(0, items.length - 1)];
      if (picked === undefined) throw new Error("expected something to pick from, found nothing");
      return picked;
    },
  };
}
