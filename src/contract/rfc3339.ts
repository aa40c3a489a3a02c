/**
 * Moments as RFC 3339 §5.6 writes them, with the offset that makes each of them one moment.
 */
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/iu;

/** Milliseconds since the epoch; `undefined` for what is no moment that a clock can reach. */
export function parseRfc3339Ms(text: string): number | undefined {
  if (!rfc3339.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
