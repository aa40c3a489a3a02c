/**
 * Go's layouts: texts in which parts of the reference time, `Mon Jan 2 15:04:05 MST 2006`, stand for
 * what is written in their place.
 */

/** A part with the text before it. */
export interface LayoutPart {
  readonly before: string;
  /** As it stands in the layout, `2006` or `.000`; empty at the end. */
  readonly part: string;
}

/** Layouts that OPA knows by name. */
const named: ReadonlyMap<string, string> = new Map([
  ["ANSIC", "Mon Jan _2 15:04:05 2006"],
  ["UnixDate", "Mon Jan _2 15:04:05 MST 2006"],
  ["RubyDate", "Mon Jan 02 15:04:05 -0700 2006"],
  ["RFC822", "02 Jan 06 15:04 MST"],
  ["RFC822Z", "02 Jan 06 15:04 -0700"],
  ["RFC850", "Monday, 02-Jan-06 15:04:05 MST"],
  ["RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"],
  ["RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"],
  ["RFC3339", "2006-01-02T15:04:05Z07:00"],
  ["RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"],
]);

export const rfc3339Layout = "2006-01-02T15:04:05Z07:00";
export const rfc3339NanoLayout = "2006-01-02T15:04:05.999999999Z07:00";

const parts = new RegExp(
  [
    "January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST",
    "002|0[1-6]|15|1|2006|__2|_2(?!006)|2|3|4|5|PM|pm",
    "-07:00:00|-07:00|-070000|-0700|-07",
    "Z07:00:00|Z07:00|Z070000|Z0700|Z07",
    String.raw`[.,](?:0+|9+)(?!\d)`,
  ].join("|"),
  "g",
);

/** The layout that is meant, by its name or as such. */
export function layoutOf(layout: string): string {
  return named.get(layout) ?? layout;
}

/** The parts in their order; the last has the text behind all others and no part. */
export function readLayout(layout: string): readonly LayoutPart[] {
  const read: LayoutPart[] = [];
  let after = 0;
  for (const { 0: part, index } of layout.matchAll(parts)) {
    read.push({ before: layout.slice(after, index), part });
    after = index + part.length;
  }
  return [...read, { before: layout.slice(after), part: "" }];
}

export const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

export const dayNames = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
];
