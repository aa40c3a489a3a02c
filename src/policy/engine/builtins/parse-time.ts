/**
 * Go's `time.Parse`, for a machine whose own zone is UTC.
 */
import { daysIn, secondsOf } from "./civil-time.ts";
import { dayNames, monthNames, readLayout } from "./go-layout.ts";
import { utc } from "./zone.ts";

/** What was read so far; -1 for what was not. */
interface Reading {
  /** What is left of the text. */
  rest: string;
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  half: "" | "AM" | "PM";
  /** Seconds east of UTC; undefined where the text names none. */
  offset: number | undefined;
}

/** What of the rest a part takes; undefined where it is something else. */
type Taken = string | undefined;

const fraction = /^[.,](\d+)/;

/** Nanoseconds since the epoch; undefined where the text is not as the layout says. */
export function parseTime(layout: string, text: string): bigint | undefined {
  const reading = newReading(text);
  const parts = readLayout(layout);
  for (const [place, { before, part }] of parts.entries()) {
    const rest = skip(reading.rest, before);
    if (rest === undefined) return undefined;
    reading.rest = rest;
    if (part === "") continue;
    const taken = readPart(part, reading);
    if (taken === undefined) return undefined;
    reading.rest = reading.rest.slice(taken.length);
    const next = parts[place + 1];
    if (part.endsWith("5") && part !== "15") readUnaskedFraction(reading, next?.part ?? "");
  }
  return reading.rest === "" ? momentOf(reading) : undefined;
}

function newReading(text: string): Reading {
  return {
    rest: text,
    year: 0,
    month: -1,
    day: -1,
    yearDay: -1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    half: "",
    offset: undefined,
  };
}

/** Any number of spaces stands for any other, also for none at the end. */
function skip(text: string, before: string): string | undefined {
  let rest = text;
  for (const run of before.match(/ +|[^ ]/g) ?? []) {
    if (run.startsWith(" ")) {
      if (rest !== "" && !rest.startsWith(" ")) return undefined;
      rest = rest.replace(/^ +/, "");
    } else if (rest.startsWith(run)) {
      rest = rest.slice(run.length);
    } else {
      return undefined;
    }
  }
  return rest;
}

function readPart(part: string, reading: Reading): Taken {
  switch (part[0]) {
    case ".":
    case ",":
      return readFraction(part, reading);
    case "-":
    case "Z":
      return readOffset(part, reading);
    case "J":
    case "M":
      return part === "MST" ? readZoneName(reading) : readName(part, reading);
    case "P":
    case "p":
      return readHalf(part, reading);
    default:
      return readNumber(part, reading);
  }
}

function readName(part: string, reading: Reading): Taken {
  const isMonth = part.startsWith("J");
  const names = isMonth ? monthNames : dayNames;
  const isLong = part.length > 3;
  for (const [place, name] of names.entries()) {
    const wanted = isLong ? name : name.slice(0, 3);
    const found = reading.rest.slice(0, wanted.length);
    if (found.toLowerCase() !== wanted.toLowerCase()) continue;
    if (isMonth) reading.month = place + 1;
    return found;
  }
  return undefined;
}

function readHalf(part: string, reading: Reading): Taken {
  const found = reading.rest.slice(0, 2);
  const half = found.toUpperCase();
  if (found !== (part === "PM" ? half : half.toLowerCase())) return undefined;
  if (half !== "AM" && half !== "PM") return undefined;
  reading.half = half;
  return found;
}

function readNumber(part: string, reading: Reading): Taken {
  const { rest } = reading;
  switch (part) {
    case "2006":
      return take(/^\d{4}/, rest, (year) => {
        reading.year = year;
        return true;
      });
    case "06":
      return take(/^\d\d/, rest, (year) => {
        reading.year = year + (year >= 69 ? 1900 : 2000);
        return true;
      });
    case "002":
    case "__2":
      return take(part === "002" ? /^\d{3}/ : /^ {0,2}\d{1,3}/, rest, (day) => {
        reading.yearDay = day;
        return true;
      });
    case "15":
      return take(/^\d\d?/, rest, (hour) => setIn(reading, "hour", hour, [0, 23]));
    case "_2":
      return take(/^ ?\d\d?/, rest, (day) => setIn(reading, "day", day, [0, 99]));
    default: {
      const [name, range] = plainPart(part.slice(-1));
      const form = part.startsWith("0") ? /^\d\d/ : /^\d\d?/;
      return take(form, rest, (value) => setIn(reading, name, value, range));
    }
  }
}

type Plain = readonly ["month" | "day" | "hour" | "minute" | "second", readonly [number, number]];

function plainPart(digit: string): Plain {
  switch (digit) {
    case "1":
      return ["month", [1, 12]];
    case "2":
      return ["day", [0, 99]];
    case "3":
      return ["hour", [0, 12]];
    case "4":
      return ["minute", [0, 59]];
    default:
      return ["second", [0, 59]];
  }
}

function take(form: RegExp, rest: string, set: (value: number) => boolean): Taken {
  const found = form.exec(rest)?.[0];
  return found !== undefined && set(Number(found)) ? found : undefined;
}

function setIn(
  reading: Reading,
  name: Plain[0],
  value: number,
  [from, to]: readonly [number, number],
): boolean {
  reading[name] = value;
  return value >= from && value <= to;
}

/** A layout of zeros wants as many digits, one of nines takes any number, or none. */
function readFraction(part: string, reading: Reading): Taken {
  const [found = "", digits = ""] = fraction.exec(reading.rest) ?? [];
  if (part[1] === "9") {
    if (found !== "") reading.nanosecond = nanosecondsOf(digits);
    return found;
  }
  if (digits.length < part.length - 1) return undefined;
  const taken = found.slice(0, part.length);
  reading.nanosecond = nanosecondsOf(taken.slice(1));
  return taken;
}

/** Seconds may have a fraction that the layout does not speak of. */
function readUnaskedFraction(reading: Reading, next: string): void {
  if (/^[.,]/.test(next)) return;
  const [found = "", digits = ""] = fraction.exec(reading.rest) ?? [];
  if (found === "") return;
  reading.nanosecond = nanosecondsOf(digits);
  reading.rest = reading.rest.slice(found.length);
}

function nanosecondsOf(digits: string): number {
  return Number(digits.slice(0, 9).padEnd(9, "0"));
}

function readOffset(part: string, reading: Reading): Taken {
  if (part.startsWith("Z") && reading.rest.startsWith("Z")) {
    reading.offset = 0;
    return "Z";
  }
  const form = part.slice(1).replaceAll(/\d\d/g, String.raw`(\d\d)`);
  const found = new RegExp(`^([+-])${form}`).exec(reading.rest);
  if (found === null) return undefined;
  const [hour = 0, minute = 0, second = 0] = found.slice(2).map(Number);
  if (hour > 24 || minute > 60 || second > 60) return undefined;
  const offset = (hour * 60 + minute) * 60 + second;
  reading.offset = found[1] === "-" ? -offset : offset;
  return found[0];
}

/** Abbreviations are not looked up, as they mean other zones to others; nor is `GMT+3` an offset. */
function readZoneName({ rest }: Reading): Taken {
  if (rest.startsWith("UTC")) return "UTC";
  const known = /^(?:ChST|MeST)/.exec(rest)?.[0];
  if (known !== undefined) return known;
  const hours = /^(?:GMT)?([+-]\d+)/.exec(rest);
  const offset = hours === null || Math.abs(Number(hours[1])) > 23 ? undefined : hours[0];
  if (rest.startsWith("GMT")) return offset ?? "GMT";
  if (/^[+-]/.test(rest)) return offset;
  const letters = /^[A-Z]{3,6}/.exec(rest)?.[0] ?? "";
  const isName = /^(?:[A-Z]{3}|[A-Z]{3}T|WITA|[A-Z]{4}T)$/.test(letters);
  return isName ? letters : undefined;
}

function momentOf(reading: Reading): bigint | undefined {
  const date = dateOf(reading);
  if (date === undefined) return undefined;
  const { year, hour, minute, second, half, offset = 0, nanosecond } = reading;
  const isNight = half === "AM" && hour === 12;
  const hours = isNight ? 0 : half === "PM" && hour < 12 ? hour + 12 : hour;
  const seconds = secondsOf({ year, ...date, hour: hours, minute, second }, utc);
  return BigInt(seconds - offset) * 1_000_000_000n + BigInt(nanosecond);
}

function dateOf(reading: Reading): { readonly month: number; readonly day: number } | undefined {
  const { year, yearDay } = reading;
  if (yearDay >= 0) return dateOfYearDay(reading);
  const month = Math.abs(reading.month);
  const day = Math.abs(reading.day);
  return day < 1 || day > daysIn(year, month) ? undefined : { month, day };
}

function dateOfYearDay({ year, yearDay, month, day }: Reading) {
  let [left, at] = [yearDay, 1];
  while (at <= 12 && left > daysIn(year, at)) {
    left -= daysIn(year, at);
    at += 1;
  }
  if (left < 1 || at > 12) return undefined;
  if ((month >= 0 && month !== at) || (day >= 0 && day !== left)) return undefined;
  return { month: at, day: left };
}
