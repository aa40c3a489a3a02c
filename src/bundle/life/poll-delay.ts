/**
 * When a source is asked next: on its cadence give or take a tenth, so that many gateways do not ask
 * at once; ever later while it fails; and never before it said that it may be asked.
 */

export interface PollTiming {
  readonly pollMs: number;
  /** In a row. */
  readonly failures: number;
  /** What the source asked for; 0 where it held its last answer back itself. */
  readonly askAgainMs: number | undefined;
  /** In [0, 1). */
  readonly random: () => number;
}

/** However soon a source wants to be asked again. */
const leastMs = 1000;
const firstRetryMs = 1000;
const maxRetryMs = 10 * 60_000;
const maxAskedMs = 60 * 60_000;

/** Milliseconds until the next poll. */
export function nextDelayMs({ pollMs, failures, askAgainMs, random }: PollTiming): number {
  const jitter = 0.9 + 0.2 * random();
  if (failures === 0) {
    return askAgainMs === undefined ? pollMs * jitter : Math.max(askAgainMs, leastMs);
  }
  const backoff = Math.min(
    firstRetryMs * 2 ** (failures - 1),
    Math.max(pollMs, firstRetryMs),
    maxRetryMs,
  );
  return Math.max(backoff * jitter, Math.min(askAgainMs ?? 0, maxAskedMs));
}
