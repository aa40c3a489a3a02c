/**
 * Levels of log messages, as RFC 5424 orders them.
 */
const levels = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;

/** True for the name of a level. */
export function isLogLevel(value: unknown): value is string {
  return levels.some((level) => level === value);
}

/** True where a message of `level` is severe enough for who asked for `least`. */
export function isLoudEnough(level: unknown, least: string): boolean {
  const at = levels.findIndex((known) => known === level);
  return at >= levels.findIndex((known) => known === least);
}
