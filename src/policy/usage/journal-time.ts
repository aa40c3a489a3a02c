/**
 * The time of a journal that several processes of one machine share. Between two entries it passes
 * as the machine's uptime does and turns towards the wall clock by a tenth of that, so that a clock
 * that is set forward frees nobody and one that is set back locks nobody. It never goes back.
 */

/** When an entry was made, and by which clocks. */
export interface TimeMark {
  readonly atMs: number;
  /** Milliseconds since the machine was started. */
  readonly upMs: number;
  /** One run of the kernel; `""` where the platform does not say. */
  readonly boot: string;
}

/** What the clocks of this process say now. */
export interface ClockReading {
  readonly nowMs: number;
  readonly upMs: number;
  readonly boot: string;
}

const slew = 0.1;

/** The mark for an entry that is written now, behind `last`. */
export function nextMark(last: TimeMark | undefined, now: ClockReading): TimeMark {
  const { upMs, boot } = now;
  if (last === undefined) return { atMs: now.nowMs, upMs, boot };
  const elapsed = upMs - last.upMs;
  if (last.boot !== boot || (boot === "" && elapsed < 0)) {
    // The machine was off for nobody knows how long; the wall clock is all there is.
    return { atMs: Math.max(last.atMs, now.nowMs), upMs, boot };
  }
  const passed = Math.max(0, elapsed);
  const earliest = last.atMs + passed * (1 - slew);
  const latest = last.atMs + passed * (1 + slew);
  return { atMs: Math.round(Math.min(latest, Math.max(earliest, now.nowMs))), upMs, boot };
}

/** What is known after an entry: entries of several processes may be a little out of order. */
export function laterMark(last: TimeMark | undefined, mark: TimeMark): TimeMark {
  if (last === undefined) return mark;
  const atMs = Math.max(last.atMs, mark.atMs);
  const upMs = last.boot === mark.boot ? Math.max(last.upMs, mark.upMs) : mark.upMs;
  return { atMs, upMs, boot: mark.boot };
}
