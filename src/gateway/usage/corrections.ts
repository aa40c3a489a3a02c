/**
 * What is given back and made exact after a call, until its store has taken it. Nobody waits for
 * that. A store that is away is asked again, so that what a call really cost is counted once it is
 * back. Where nobody can say whether a request had an effect, only what adds to a count is sent again:
 * something counted twice stops a call too many, something given back twice lets one through.
 */
import type { Log } from "../../contract/ambient.ts";
import { messageOf } from "../../errors.ts";
import { wasNeverSent } from "../../policy/usage/was-never-sent.ts";
import type { Correction, UsageStore } from "../../policy/usage/usage-store.ts";

const firstPauseMs = 250;
const longestPauseMs = 15_000;
/** Of counters that wait; what is beyond that is forgotten, and the log says so. */
const maxWaiting = 10_000;

export class Corrections {
  readonly #open: () => Promise<UsageStore>;
  readonly #log: Log;
  readonly #sending = new Set<Promise<void>>();
  /** By counter, slot and direction. */
  #waiting = new Map<string, Correction>();
  #pauseMs = firstPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(open: () => Promise<UsageStore>, log: Log) {
    this.#open = open;
    this.#log = log;
  }

  /** Sends these at once; returns without waiting. */
  add(corrections: readonly Correction[]): void {
    const wanted = corrections.filter(({ delta }) => delta !== 0);
    if (wanted.length > 0) this.#begin(wanted);
  }

  /** Tries once more; what the store does not take then is lost. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#sending);
    this.#sendWaiting();
    await Promise.all(this.#sending);
    if (this.#waiting.size === 0) return;
    this.#log.error({ corrections: this.#waiting.size }, "counters not corrected");
  }

  #begin(corrections: readonly Correction[]): void {
    const sending = this.#send(corrections).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #send(corrections: readonly Correction[]): Promise<void> {
    try {
      await (await this.#open()).correct(corrections);
      this.#pauseMs = firstPauseMs;
    } catch (thrown) {
      const again = wasNeverSent(thrown)
        ? corrections
        : corrections.filter(({ delta }) => delta > 0);
      const kept = again.length;
      const about = { reason: messageOf(thrown), kept, lost: corrections.length - kept };
      this.#log.warn(about, "counters not corrected yet");
      this.#keep(again);
    }
  }

  #keep(corrections: readonly Correction[]): void {
    for (const one of corrections) {
      const name = JSON.stringify([one.key, one.startMs, one.delta > 0]);
      const { delta = 0 } = this.#waiting.get(name) ?? {};
      if (this.#waiting.size >= maxWaiting && !this.#waiting.has(name)) {
        this.#log.error({ corrections: 1 }, "counters not corrected");
      } else {
        this.#waiting.set(name, { ...one, delta: delta + one.delta });
      }
    }
    this.#plan();
  }

  #plan(): void {
    if (this.#waiting.size === 0 || this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => this.#sendWaiting(), this.#pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
  }

  #sendWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const corrections = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (corrections.length > 0) this.#begin(corrections);
  }
}
