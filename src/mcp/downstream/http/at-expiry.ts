/**
 * Ends what a token opened when the token itself ends. A stream that a client only listens on would
 * otherwise go on for as long as it likes with rights that it could not have any more.
 */
import type { Clock } from "../../../contract/ambient.ts";

/** A timer stands still while a machine sleeps and wall time does not, so that it is looked at. */
const longestWaitMs = 15_000;

/**
 * Calls `end` once the wall clock has reached `expiresAtMs`, or never where that is `undefined`.
 * Returns how to forget about it.
 */
export function atExpiry(
  clock: Clock,
  expiresAtMs: number | undefined,
  end: () => void,
): () => void {
  if (expiresAtMs === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const leftMs = expiresAtMs - clock.nowMs();
    if (leftMs <= 0) end();
    else timer = setTimeout(wait, Math.min(leftMs, longestWaitMs)).unref();
  };
  wait();
  return () => clearTimeout(timer);
}
