/**
 * Rings when the time of an approval is over. Every gateway that knows of an approval may have a timer
 * for it: whoever comes first writes down that it ran out, and the others find that written.
 */
import type { Clock } from "../../contract/ambient.ts";
import type { Approval } from "./approval.ts";
import { isClosed } from "./approval-store.ts";

/** The clock of a store may be a little behind this machine's. */
const marginMs = 250;
/** Node rings at once for more. */
const maxDelayMs = 2 ** 31 - 1;

export class ExpiryTimers {
  readonly #clock: Clock;
  readonly #onOver: (id: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(clock: Clock, onOver: (id: string) => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** Rings once for an approval that is open. */
  watch(approval: Approval): void {
    const { id, expires_at: expiresAt } = approval;
    if (isClosed(approval) || this.#timers.has(id)) return;
    const delayMs = Math.max(0, Date.parse(expiresAt) - this.#clock.nowMs()) + marginMs;
    if (delayMs > maxDelayMs) return;
    const ring = (): void => {
      this.#timers.delete(id);
      this.#onOver(id);
    };
    this.#timers.set(id, setTimeout(ring, delayMs).unref());
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
