/**
 * What a canary did in the last minutes, and whether that is too much. Principals are counted, not
 * calls, so that one who calls a hundred times is one; and each limit has to be passed without the
 * principal that speaks most for it, so that nobody ends a canary alone. Memory has an end: those who
 * come when it is full are not counted.
 */
import type { CanaryLimits } from "../../config/config.ts";

/** One evaluation of a canary. */
export interface CanaryEvaluation {
  /** Of the principal that it was about. */
  readonly token: string;
  /** Without the canary it would not have been denied, or hidden. */
  readonly isDenied: boolean;
  /** It threw, ran out of time, or said nothing that can be read. */
  readonly isFailed: boolean;
  /** `undefined` where nobody measured it. */
  readonly evalMs: number | undefined;
}

interface Tally {
  evaluations: number;
  denied: number;
  failed: number;
  timed: number;
  slow: number;
}
type Count = keyof Tally;

interface Slice {
  readonly startMs: number;
  readonly tallies: Map<string, Tally>;
}

/** The window moves on by a tenth of its length. */
const slicesPerWindow = 10;
const maxPrincipals = 10_000;
/** The 95th percentile is over a limit where more than this share is. */
const slowPercent = 5;

/** One canary's window; times are monotonic milliseconds. */
export class CanaryWindow {
  readonly #limits: CanaryLimits;
  readonly #slices: Slice[] = [];
  readonly #all = new Map<string, Tally>();
  readonly #sum = emptyTally();
  #deniedPrincipals = 0;

  constructor(limits: CanaryLimits) {
    this.#limits = limits;
  }

  /** Counts one evaluation; answers why the canary has to end, as a sentence, where it has to. */
  add(evaluation: CanaryEvaluation, nowMs: number): string | undefined {
    this.#moveTo(nowMs);
    const { token } = evaluation;
    if (!this.#all.has(token) && this.#all.size >= maxPrincipals) return undefined;
    const slice = this.#sliceAt(nowMs);
    const counted = tallyOf(evaluation, this.#limits.latencyMs);
    count(slice.tallies, token, counted, 1);
    this.#count(token, counted, 1);
    return this.#problem();
  }

  #problem(): string | undefined {
    const { minPrincipals, minEvaluations, deniedPrincipalsPercent } = this.#limits;
    const seen = this.#all.size;
    if (seen < minPrincipals) return undefined;
    const denied = this.#deniedPrincipals;
    if (percentOf(denied - 1, seen - 1) > deniedPrincipalsPercent) {
      return `${denied} of ${seen} principals were denied because of it (limit ${deniedPrincipalsPercent} %)`;
    }
    const { evaluations, failed, timed, slow } = this.#sum;
    if (evaluations < minEvaluations) return undefined;
    const { errorPercent, latencyMs } = this.#limits;
    if (this.#isOver("failed", "evaluations", errorPercent)) {
      return `${failed} of ${evaluations} evaluations failed (limit ${errorPercent} %)`;
    }
    if (!this.#isOver("slow", "timed", slowPercent)) return undefined;
    return `${slow} of ${timed} evaluations took more than ${latencyMs} ms (limit ${slowPercent} %)`;
  }

  /** With the principal that has most of them, and without. */
  #isOver(part: Count, whole: Count, limitPercent: number): boolean {
    const sum = this.#sum;
    if (percentOf(sum[part], sum[whole]) <= limitPercent) return false;
    const worst = [...this.#all.values()].reduce((most, one) =>
      one[part] > most[part] ? one : most,
    );
    return percentOf(sum[part] - worst[part], sum[whole] - worst[whole]) > limitPercent;
  }

  #moveTo(nowMs: number): void {
    for (;;) {
      const oldest = this.#slices[0];
      if (oldest === undefined || nowMs - oldest.startMs < this.#limits.windowMs) return;
      this.#slices.shift();
      for (const [token, tally] of oldest.tallies) this.#count(token, tally, -1);
    }
  }

  #count(token: string, more: Tally, sign: 1 | -1): void {
    const wasDenied = isDenied(this.#all.get(token));
    count(this.#all, token, more, sign);
    this.#deniedPrincipals += Number(isDenied(this.#all.get(token))) - Number(wasDenied);
    addTo(this.#sum, more, sign);
  }

  #sliceAt(nowMs: number): Slice {
    const newest = this.#slices.at(-1);
    const lengthMs = this.#limits.windowMs / slicesPerWindow;
    if (newest !== undefined && nowMs - newest.startMs < lengthMs) return newest;
    const slice = { startMs: nowMs, tallies: new Map<string, Tally>() };
    this.#slices.push(slice);
    return slice;
  }
}

function tallyOf({ evalMs, ...one }: CanaryEvaluation, latencyMs: number): Tally {
  return {
    evaluations: 1,
    denied: Number(one.isDenied),
    failed: Number(one.isFailed),
    timed: Number(evalMs !== undefined),
    slow: Number(evalMs !== undefined && evalMs > latencyMs),
  };
}

function count(tallies: Map<string, Tally>, token: string, more: Tally, sign: 1 | -1): void {
  const tally = tallies.get(token) ?? emptyTally();
  addTo(tally, more, sign);
  if (tally.evaluations > 0) tallies.set(token, tally);
  else tallies.delete(token);
}

function emptyTally(): Tally {
  return { evaluations: 0, denied: 0, failed: 0, timed: 0, slow: 0 };
}

function addTo(tally: Tally, more: Tally, sign: 1 | -1): void {
  tally.evaluations += sign * more.evaluations;
  tally.denied += sign * more.denied;
  tally.failed += sign * more.failed;
  tally.timed += sign * more.timed;
  tally.slow += sign * more.slow;
}

function isDenied(tally: Tally | undefined): boolean {
  return tally !== undefined && tally.denied > 0;
}

function percentOf(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : 0;
}
