/**
 * The real clock and the real source of ids. Everything else is handed these, so that tests can
 * hand in others.
 */
import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";
import type { Clock, NewId } from "../contract/ambient.ts";

/** Wall time and a monotonic time of this process. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

const idBytes = 16;
/** Asking for random bytes costs more than the rest of an id: they are asked for in this many. */
const idsAtOnce = 256;
/** RFC 9562, "Monotonicity and Counters": a counter of 32 bits, that begins in its lower half. */
const maxCount = 2 ** 32 - 1;

/** Makes ids that are ordered within this process, though the clock stands still or goes back. */
export function createIds({ nowMs }: Pick<Clock, "nowMs">): NewId {
  const pool = Buffer.alloc(idBytes * idsAtOnce);
  let used = pool.length;
  let msecs = -Infinity;
  let seq = 0;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const random = pool.subarray(used, used + idBytes);
    used += idBytes;
    const now = nowMs();
    if (now > msecs) {
      msecs = now;
      seq = random.readUInt32BE(6) >>> 1;
    } else if (seq < maxCount) {
      seq += 1;
    } else {
      msecs += 1;
      seq = 0;
    }
    return v7({ random, msecs, seq });
  };
}

/** A new UUIDv7, ordered by time within this process. */
export const newId: NewId = createIds(systemClock);
