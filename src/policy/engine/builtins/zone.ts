/**
 * Time zones, of the names that the tz database has. Offsets come from the time zone data of the
 * JavaScript engine, abbreviations too as far as one of its English locales knows them.
 */

export interface Zone {
  /** Seconds east of UTC at a moment in seconds since the epoch. */
  readonly offsetAt: (seconds: number) => number;
  /** `CET`, or `+03` where the tz database has no letters. */
  readonly abbreviationAt: (seconds: number) => string;
}

/** How a zone's places speak English is how they shorten its name. */
const locales = ["en-US", "en-GB", "en-AU", "en-NZ", "en-IN", "en-ZA", "en-CA"];
/** Names that no English locale shortens; the second is that of summer. */
const otherNames: Readonly<Record<string, readonly [string, string?]>> = {
  "Asia/Hong_Kong": ["HKT"],
  "Asia/Jakarta": ["WIB"],
  "Asia/Jayapura": ["WIT"],
  "Asia/Jerusalem": ["IST", "IDT"],
  "Asia/Karachi": ["PKT"],
  "Asia/Makassar": ["WITA"],
  "Asia/Manila": ["PST"],
  "Asia/Pontianak": ["WIB"],
  "Asia/Pyongyang": ["KST"],
  "Asia/Seoul": ["KST"],
  "Asia/Shanghai": ["CST"],
  "Asia/Taipei": ["CST"],
  "Asia/Tokyo": ["JST"],
  "Europe/Dublin": ["GMT", "IST"],
  "Europe/Kirov": ["MSK"],
  "Europe/Moscow": ["MSK"],
  "Europe/Simferopol": ["MSK"],
  "Europe/Volgograd": ["MSK"],
  "Pacific/Guam": ["ChST"],
  "Pacific/Pago_Pago": ["SST"],
};
/** January of a year in which all of them are as they are now. */
const winterSeconds = Date.UTC(2025, 0, 15) / 1000;
const quarterSeconds = 15 * 60;
const zones = new Map<string, Zone | undefined>();

export const utc: Zone = { offsetAt: () => 0, abbreviationAt: () => "UTC" };

/**
 * The zone of a name. `Local` is UTC: where the gateway stands must not change a decision.
 *
 * @returns undefined for a name that nobody knows.
 */
export function zoneOf(name: string): Zone | undefined {
  if (["", "UTC", "Local"].includes(name)) return utc;
  if (!zones.has(name)) zones.set(name, openZone(name));
  return zones.get(name);
}

function openZone(timeZone: string): Zone | undefined {
  // Engines also know offsets as names, which the tz database does not.
  if (!/^[A-Z]/.test(timeZone)) return undefined;
  try {
    const clock = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    return createZone(clock);
  } catch {
    return undefined;
  }
}

function createZone(clock: Intl.DateTimeFormat): Zone {
  const { timeZone } = clock.resolvedOptions();
  const offsetAt = (seconds: number): number => readOffset(clock, seconds);
  let names: readonly Intl.DateTimeFormat[] | undefined;
  return {
    offsetAt,
    abbreviationAt: (seconds) => {
      const offset = offsetAt(seconds);
      // Local mean time: before there were zones, each place had its own.
      if (offset % quarterSeconds !== 0) return "LMT";
      const [standard, summer] = otherNames[timeZone] ?? [];
      if (standard !== undefined) {
        return offset === offsetAt(winterSeconds) ? standard : (summer ?? printOffset(offset));
      }
      names ??= locales.map(
        (locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: "short" }),
      );
      return shortName(names, seconds) ?? printOffset(offset);
    },
  };
}

function readOffset(clock: Intl.DateTimeFormat, seconds: number): number {
  const parts = new Map(
    clock.formatToParts(seconds * 1000).map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const localMs = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return localMs / 1000 - seconds;
}

function shortName(names: readonly Intl.DateTimeFormat[], seconds: number): string | undefined {
  for (const name of names) {
    const parts = name.formatToParts(seconds * 1000);
    const short = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
    if (/^[A-Z]{3,5}$/i.test(short)) return short;
  }
  return undefined;
}

/** `+03` or `-0330`, as the tz database writes it. */
function printOffset(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / 60);
  const hour = String(Math.floor(minutes / 60)).padStart(2, "0");
  const rest = minutes % 60 === 0 ? "" : String(minutes % 60).padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${hour}${rest}`;
}
