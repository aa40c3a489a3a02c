/**
 * Tells the operator who is not let in and why, without letting a stranger fill the log: a reason is
 * written when it comes up, then at most every ten seconds, with the number of those left out.
 */
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { Refusal } from "./authentication.ts";

const intervalMs = 10_000;

interface Recent {
  writtenAtMs: number;
  suppressed: number;
}

/** Makes the log; lines name reason, claim and configured issuer, nothing that a client chose. */
export function createRefusalLog(log: Log, clock: Clock): (refusal: Refusal) => void {
  const recent = new Map<string, Recent>();
  return ({ reason, claim, issuer }) => {
    const key = JSON.stringify([reason, claim, issuer]);
    const last = recent.get(key);
    const nowMs = clock.monotonicMs();
    if (last !== undefined && nowMs - last.writtenAtMs < intervalMs) {
      last.suppressed += 1;
      return;
    }
    recent.set(key, { writtenAtMs: nowMs, suppressed: 0 });
    const line = { reason, claim, issuer, suppressed: last?.suppressed ?? 0 };
    // Clients come without a token to learn where they get one.
    const isRoutine = reason === "token_missing" || reason === "token_expired";
    if (isRoutine) log.debug(line, "request not authenticated");
    else log.warn(line, "request not authenticated");
  };
}
