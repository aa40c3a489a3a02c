/**
 * Times as records have them.
 */

/** RFC 3339 with nanosecond digits, as OPA writes it. */
export function toTimestamp(timeMs: number): string {
  return new Date(timeMs).toISOString().replace("Z", "000000Z");
}
