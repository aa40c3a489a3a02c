/**
 * `time.*`. Moments are nanoseconds since the epoch, which do not fit a double: they are made of
 * integers and written out as digits. The time of day is the decision's own and does not move.
 */
import type { OpaValue } from "../opa-value.ts";
import type { Builtin, BuiltinGroup } from "./builtin.ts";
import type { CivilTime } from "./civil-time.ts";
import { civilTimeAt, daysIn, secondsOf, weekdayOf } from "./civil-time.ts";
import { formatTime } from "./format-time.ts";
import { dayNames, layoutOf, rfc3339Layout, rfc3339NanoLayout } from "./go-layout.ts";
import { int64Of, ofTexts, textOf, wholeNumberOf } from "./operands.ts";
import { parseDuration } from "./parse-duration.ts";
import { parseTime } from "./parse-time.ts";
import { writeArray, writeText } from "./values.ts";
import type { Zone } from "./zone.ts";
import { utc, zoneOf } from "./zone.ts";

/** A moment, the zone it is looked at in, and how it is to be written. */
interface ZonedTime {
  readonly ns: bigint;
  readonly seconds: number;
  readonly nanosecond: number;
  readonly zone: Zone;
  readonly layout: string;
}

const nsPerMs = 1_000_000n;
const nsPerSecond = 1_000_000_000n;
const maxNs = 2n ** 63n - 1n;

/** The decision's time: constant within a decision, so that a replay sees it again. */
export const nowNs: Builtin = (_operands, { timeMs }) => String(BigInt(timeMs) * nsPerMs);

/** Nanoseconds since the epoch of an RFC 3339 text; undefined outside of 64 bits. */
export const parseRfc3339Ns = ofTexts((text: string) => writeNs(parseTime(rfc3339Layout, text)));

const parseNs = ofTexts((layout: string, text: string) =>
  writeNs(parseTime(layoutOf(layout), text)),
);

const parseDurationNs = ofTexts((text: string) => {
  const ns = parseDuration(text);
  return ns === undefined ? undefined : String(ns);
});

const date = ofTime((time) => {
  const { year, month, day } = civilTimeAt(time.seconds, time.zone);
  return writeNumbers(year, month, day);
});

const clock = ofTime((time) => {
  const { hour, minute, second } = civilTimeAt(time.seconds, time.zone);
  return writeNumbers(hour, minute, second);
});

const weekday = ofTime((time) =>
  writeText(dayNames[weekdayOf(civilTimeAt(time.seconds, time.zone))] ?? ""),
);

const format = ofTime((time) => {
  const layout = time.layout === "" ? rfc3339NanoLayout : layoutOf(time.layout);
  return writeText(formatTime(layout, time, time.zone));
});

const addDate: Builtin = ([operand, ...added]) => {
  const time = readTime(operand);
  const [years, months, days] = added.map((each) => int64Of(each));
  if (time === undefined || years === undefined || months === undefined || days === undefined) {
    return undefined;
  }
  const { zone } = time;
  const civil = civilTimeAt(time.seconds, zone);
  const seconds = secondsOf(
    {
      ...civil,
      year: civil.year + Number(years),
      month: civil.month + Number(months),
      day: civil.day + Number(days),
    },
    zone,
  );
  if (Number.isNaN(seconds)) return undefined;
  return writeNs(BigInt(seconds) * nsPerSecond + BigInt(time.nanosecond));
};

const diff: Builtin = ([left, right]) => {
  const [one, other] = [readTime(left), readTime(right)];
  if (one === undefined || other === undefined) return undefined;
  const [first, last] = one.ns > other.ns ? [other, one] : [one, other];
  const { zone } = one;
  return between(civilTimeAt(first.seconds, zone), civilTimeAt(last.seconds, zone));
};

/** Years, months, days, hours, minutes and seconds, each carried into the one before it. */
function between(first: CivilTime, last: CivilTime): string {
  let [year, month, day] = [last.year - first.year, last.month - first.month, last.day - first.day];
  let [hour, minute, second] = [
    last.hour - first.hour,
    last.minute - first.minute,
    last.second - first.second,
  ];
  if (second < 0) [second, minute] = [second + 60, minute - 1];
  if (minute < 0) [minute, hour] = [minute + 60, hour - 1];
  if (hour < 0) [hour, day] = [hour + 24, day - 1];
  if (day < 0) [day, month] = [day + daysIn(first.year, first.month), month - 1];
  if (month < 0) [month, year] = [month + 12, year - 1];
  return writeNumbers(year, month, day, hour, minute, second);
}

function ofTime(answer: (time: ZonedTime) => string): Builtin {
  return ([operand]) => {
    const time = readTime(operand);
    return time === undefined ? undefined : answer(time);
  };
}

/** Nanoseconds, or a list of them, the name of a zone and a layout. */
function readTime(operand: OpaValue | undefined): ZonedTime | undefined {
  const items = operand?.kind === "array" ? operand.items : [operand];
  const [moment, zoneName, layoutText] = items;
  const ns = wholeNumberOf(moment);
  const zone = zoneName === undefined ? utc : zoneOf(textOf(zoneName) ?? "no string");
  const layout = layoutText === undefined ? "" : textOf(layoutText);
  if (ns === undefined || zone === undefined || layout === undefined || !isInt64(ns)) {
    return undefined;
  }
  const nanosecond = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
  const seconds = Number((ns - nanosecond) / nsPerSecond);
  return { ns, seconds, nanosecond: Number(nanosecond), zone, layout };
}

function writeNs(ns: bigint | undefined): string | undefined {
  return ns !== undefined && isInt64(ns) ? String(ns) : undefined;
}

function isInt64(value: bigint): boolean {
  return value >= -maxNs - 1n && value <= maxNs;
}

function writeNumbers(...numbers: readonly number[]): string {
  return writeArray(numbers.map(String));
}

export const timeBuiltins: BuiltinGroup = {
  "time.add_date": addDate,
  "time.clock": clock,
  "time.date": date,
  "time.diff": diff,
  "time.format": format,
  "time.now_ns": nowNs,
  "time.parse_duration_ns": parseDurationNs,
  "time.parse_ns": parseNs,
  "time.parse_rfc3339_ns": parseRfc3339Ns,
  "time.weekday": weekday,
};
