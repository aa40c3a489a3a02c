/**
 * How long to wait before a server is started once more: exponential with full jitter, from 250 ms
 * to a minute. Plain state; the time and the random number are handed in.
 */

export interface Backoff {
  failures: number;
  /** Monotonic; no start before it. */
  untilMs: number;
}

const firstCeilingMs = 250;
const highestCeilingMs = 60_000;

export function newBackoff(): Backoff {
  return { failures: 0, untilMs: 0 };
}

/** Counts a failed start, or a connection that was lost right after its start. */
export function backOff(backoff: Backoff, nowMs: number, random: number): void {
  const ceilingMs = Math.min(firstCeilingMs * 2 ** backoff.failures, highestCeilingMs);
  backoff.failures += 1;
  backoff.untilMs = nowMs + random * ceilingMs;
}

/** After a start that lasted. */
export function resetBackoff(backoff: Backoff): void {
  backoff.failures = 0;
  backoff.untilMs = 0;
}
