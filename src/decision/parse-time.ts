/**
 * Reads a time argument: RFC 3339, or how long ago.
 */
import { DecisionError } from "./decision-error.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 60 * 60_000,
  d: 24 * 60 * 60_000,
  w: 7 * 24 * 60 * 60_000,
};

/** Milliseconds since the epoch of `2026-11-22T13:45:00Z`, `2026-11-22`, `15m`, `2h` or `7d`. */
export function parseTime(text: string, nowMs: number): number {
  const [, amount, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const scale = unit === undefined ? undefined : unitMs[unit];
  if (amount !== undefined && scale !== undefined)
    return Math.max(0, nowMs - Number(amount) * scale);
  const rfc3339 = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;
  const timeMs = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return Math.max(0, timeMs);
  throw new DecisionError(
    "invalid_time",
    `expected a time such as 2026-11-22T13:45:00Z or how long ago, 15m, 2h or 7d, found "${text.slice(0, 64)}"`,
  );
}
