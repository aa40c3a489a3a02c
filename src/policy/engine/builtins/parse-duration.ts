/**
 * OPA's durations: Go's, and also days, weeks and years of 24 hours, 7 and 365 days.
 */
const unitNs: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  // The sign for micro and the Greek letter.
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const hoursOf: ReadonlyMap<string, number> = new Map([
  ["d", 24],
  ["w", 7 * 24],
  ["y", 365 * 24],
]);
const limit = 2n ** 63n;
const extended = /^[+-]?(?:[0-9.]+(?:ms|us|\u00b5s|ns|[a-z]))+$/;
const segment = /([0-9.]+)(ms|us|\u00b5s|ns|[a-z])/g;
const goSegment = /(\d*)(?:\.(\d*))?([^0-9.]+)/y;

/** Nanoseconds; undefined for other text and beyond 64 bits. */
export function parseDuration(text: string): bigint | undefined {
  if (!/[dwy]/.test(text)) return parseGoDuration(text);
  if (!extended.test(text)) return undefined;
  let rewritten: string | undefined = /^[+-]?/.exec(text)?.[0];
  for (const [whole, digits = "", unit = ""] of text.matchAll(segment)) {
    const hours = hoursOf.get(unit);
    const part = hours === undefined ? whole : inHours(digits, hours);
    if (part === undefined) return undefined;
    rewritten += part;
  }
  return parseGoDuration(rewritten ?? "");
}

function inHours(digits: string, hours: number): string | undefined {
  if (!/^(?:\d+\.?\d*|\.\d+)$/.test(digits)) return undefined;
  const product = Number(digits) * hours;
  if (!Number.isFinite(product)) return undefined;
  const plain = Number.isInteger(product) ? String(BigInt(product)) : String(product);
  return `${plain.includes("e") ? product.toFixed(20) : plain}h`;
}

/** Go's `time.ParseDuration`; fractions are rounded where Go rounds them. */
function parseGoDuration(text: string): bigint | undefined {
  const [sign = ""] = /^[+-]?/.exec(text) ?? [];
  const parts = text.slice(sign.length);
  if (parts === "0") return 0n;
  if (parts === "") return undefined;
  let total = 0n;
  for (goSegment.lastIndex = 0; goSegment.lastIndex < parts.length;) {
    const [, whole = "", fraction = "", unit = ""] = goSegment.exec(parts) ?? [];
    const factor = unitNs.get(unit);
    if (factor === undefined || whole + fraction === "") return undefined;
    const ns = BigInt(whole) * factor;
    total += ns + (fraction === "" ? 0n : fractionNs(fraction, factor));
    if (ns > limit || total > limit) return undefined;
  }
  if (sign === "-") return -total;
  return total === limit ? undefined : total;
}

function fractionNs(fraction: string, factor: bigint): bigint {
  // Digits beyond what 63 bits hold are dropped.
  const digits = fraction.slice(0, 18);
  const ns = Number(digits) * (Number(factor) / 10 ** digits.length);
  return BigInt(Math.trunc(ns));
}
