/**
 * Moments as calendar and clock show them in a zone, and back. Moments are seconds since the epoch
 * and the nanoseconds behind them; years are those of the Gregorian calendar, also before it began.
 */
import type { Zone } from "./zone.ts";

export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** What a calendar and a clock in the zone show. */
export function civilTimeAt(seconds: number, zone: Zone): CivilTime {
  const local = new Date((seconds + zone.offsetAt(seconds)) * 1000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
  };
}

/**
 * Seconds since the epoch; members may be out of their range and are carried over. A time that the
 * zone's clocks skip or show twice is read as Go's `time.Date` reads it. NaN far outside of history.
 */
export function secondsOf(civil: CivilTime, zone: Zone): number {
  const date = new Date(0);
  date.setUTCFullYear(civil.year, civil.month - 1, civil.day);
  date.setUTCHours(civil.hour, civil.minute, civil.second);
  const local = date.getTime() / 1000;
  if (Number.isNaN(local)) return local;
  const offset = zone.offsetAt(local);
  return offset === 0 ? local : local - zone.offsetAt(local - offset);
}

/** Days of a month; 0 for a month that there is not. */
export function daysIn(year: number, month: number): number {
  if (month < 1 || month > 12) return 0;
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}

/** 1 for the first of January. */
export function dayOfYear({ year, month, day }: CivilTime): number {
  let days = day;
  for (let before = 1; before < month; before += 1) days += daysIn(year, before);
  return days;
}

/** 0 for Sunday. */
export function weekdayOf({ year, month, day }: CivilTime): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCDay();
}
