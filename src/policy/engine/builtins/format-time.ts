/**
 * Go's `Time.Format`.
 */
import type { CivilTime } from "./civil-time.ts";
import { civilTimeAt, dayOfYear, weekdayOf } from "./civil-time.ts";
import { dayNames, monthNames, readLayout } from "./go-layout.ts";
import type { Zone } from "./zone.ts";

interface Moment extends CivilTime {
  readonly nanosecond: number;
  readonly offset: number;
  readonly abbreviation: () => string;
}

/** A moment as the layout wants it. */
export function formatTime(
  layout: string,
  { seconds, nanosecond }: { readonly seconds: number; readonly nanosecond: number },
  zone: Zone,
): string {
  const moment: Moment = {
    ...civilTimeAt(seconds, zone),
    nanosecond,
    offset: zone.offsetAt(seconds),
    abbreviation: () => zone.abbreviationAt(seconds),
  };
  return readLayout(layout)
    .map(({ before, part }) => before + formatPart(part, moment))
    .join("");
}

function formatPart(part: string, moment: Moment): string {
  switch (part[0]) {
    case ".":
    case ",":
      return formatFraction(part, moment.nanosecond);
    case "-":
    case "Z":
      return formatOffset(part, moment.offset);
    case "M":
    case "J":
      return formatName(part, moment);
    case undefined:
      return "";
    default:
      return formatNumber(part, moment);
  }
}

function formatName(part: string, moment: Moment): string {
  const month = monthNames[moment.month - 1] ?? "";
  const day = dayNames[weekdayOf(moment)] ?? "";
  switch (part) {
    case "January":
      return month;
    case "Jan":
      return month.slice(0, 3);
    case "Monday":
      return day;
    case "Mon":
      return day.slice(0, 3);
    default:
      return moment.abbreviation();
  }
}

function formatNumber(part: string, moment: Moment): string {
  const { hour } = moment;
  switch (part) {
    case "2006":
      return String(moment.year).padStart(4, "0");
    case "06":
      return two(moment.year % 100);
    case "002":
      return String(dayOfYear(moment)).padStart(3, "0");
    case "__2":
      return String(dayOfYear(moment)).padStart(3);
    case "_2":
      return String(moment.day).padStart(2);
    case "15":
      return two(hour);
    case "PM":
      return hour >= 12 ? "PM" : "AM";
    case "pm":
      return hour >= 12 ? "pm" : "am";
    default: {
      const value = plainValue(part.slice(-1), moment);
      return part.startsWith("0") ? two(value) : String(value);
    }
  }
}

function plainValue(digit: string, moment: Moment): number {
  switch (digit) {
    case "1":
      return moment.month;
    case "2":
      return moment.day;
    case "3":
      return moment.hour % 12 === 0 ? 12 : moment.hour % 12;
    case "4":
      return moment.minute;
    default:
      return moment.second;
  }
}

/** Zeros of the layout stay, nines go where they would be trailing zeros. */
function formatFraction(part: string, nanosecond: number): string {
  const digits = String(nanosecond)
    .padStart(9, "0")
    .slice(0, part.length - 1);
  if (part[1] === "0") return (part[0] ?? "") + digits;
  const significant = digits.replace(/0+$/, "");
  return significant === "" ? "" : (part[0] ?? "") + significant;
}

function formatOffset(part: string, offset: number): string {
  if (part.startsWith("Z") && offset === 0) return "Z";
  const minutes = Math.trunc(offset / 60);
  const size = Math.abs(minutes);
  const colon = part.includes(":") ? ":" : "";
  const digits = part.replace(/\D/g, "").length;
  const minute = digits >= 4 ? colon + two(size % 60) : "";
  const second = digits === 6 ? colon + two(Math.abs(offset) % 60) : "";
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${minute}${second}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
