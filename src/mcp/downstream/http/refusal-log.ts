/**
 * Tells the operator what is refused before anybody is asked for a token, without letting a stranger
 * fill the log: each reason when it comes up, then at most every ten seconds with the number of
 * those left out.
 */
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { Refusal } from "./refusal.ts";

const intervalMs = 10_000;

interface Recent {
  readonly writtenAtMs: number;
  suppressed: number;
}

/** Makes the log; reasons are sentences of this front's own, nothing that a client chose. */
export function createRefusalLog(log: Log, clock: Clock): (refusal: Refusal) => void {
  const recent = new Map<string, Recent>();
  return ({ status, message: reason }) => {
    const last = recent.get(reason);
    const nowMs = clock.monotonicMs();
    if (last !== undefined && nowMs - last.writtenAtMs < intervalMs) {
      last.suppressed += 1;
      return;
    }
    recent.set(reason, { writtenAtMs: nowMs, suppressed: 0 });
    log.warn({ status, reason, suppressed: last?.suppressed ?? 0 }, "http request refused");
  };
}
