/**
 * `time.now_ns` and `time.parse_rfc3339_ns`. Nanoseconds do not fit a double, so both are made of
 * integers and written out as digits.
 */
import type { Builtin } from "./builtin.ts";

const nsPerMs = 1_000_000n;
const maxNs = 2n ** 63n - 1n;
/** What Go's `time.Parse(time.RFC3339, …)` takes: a fraction of any length after `.` or `,`. */
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/u;

/** The decision's time: constant within a decision, so that a replay sees it again. */
export const nowNs: Builtin = (_operands, { timeMs }) => String(BigInt(timeMs) * nsPerMs);

/** Nanoseconds since the epoch of an RFC 3339 text; undefined outside of 64 bits. */
export const parseRfc3339Ns: Builtin = ([text]) => {
  if (text?.kind !== "string") return undefined;
  const parts = rfc3339.exec(text.value);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] =
    parts;
  const ms = momentMs(`${year}-${month}-${day}`, [hour, minute, second].map(Number));
  const offsetMs = offsetOf(sign, Number(offsetHour ?? 0), Number(offsetMinute ?? 0));
  if (ms === undefined || offsetMs === undefined) return undefined;
  const ns = BigInt(ms - offsetMs) * nsPerMs + BigInt((fraction ?? "").slice(0, 9).padEnd(9, "0"));
  return ns >= -maxNs - 1n && ns <= maxNs ? String(ns) : undefined;
};

function momentMs(date: string, time: readonly number[]): number | undefined {
  const [hour = 0, minute = 0, second = 0] = time;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(dayMs) || new Date(dayMs).toISOString().slice(0, 10) !== date) return undefined;
  return dayMs + ((hour * 60 + minute) * 60 + second) * 1000;
}

function offsetOf(sign: string | undefined, hour: number, minute: number): number | undefined {
  if (hour > 24 || minute > 60) return undefined;
  return (sign === "-" ? -1 : 1) * (hour * 60 + minute) * 60_000;
}
