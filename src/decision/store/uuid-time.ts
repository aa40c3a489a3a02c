/**
 * The time inside a UUIDv7 (RFC 9562 §5.7: the first 48 bits are milliseconds since the epoch), and
 * the lowest id of a time, which bounds partitions and lists.
 */
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a UUID of any version in lower case. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** Milliseconds since the epoch. */
export function timeOfUuid(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The lowest UUID whose time is `timeMs`. */
export function lowestUuid(timeMs: number): string {
  const digits = Math.max(0, Math.floor(timeMs)).toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-0000-0000-000000000000`;
}

/** The ids that begin with `prefix`, as the lowest and the highest of them. */
export function uuidRange(prefix: string): { readonly low: string; readonly high: string } {
  const digits = prefix.replaceAll("-", "");
  return { low: dashed(digits.padEnd(32, "0")), high: dashed(digits.padEnd(32, "f")) };
}

function dashed(digits: string): string {
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16)];
  return [...parts, digits.slice(16, 20), digits.slice(20)].join("-");
}
