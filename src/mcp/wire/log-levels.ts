/**
 * Levels of log messages, as RFC 5424 orders them.
 */

/** The most talkative first. */
export const logLevels = [
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
  return logLevels.some((level) => level === value);
}

/** True where a message of `level` is severe enough for who asked for `least`. */
export function isLoudEnough(level: unknown, least: string): boolean {
  const at = logLevels.findIndex((known) => known === level);
  return at >= logLevels.findIndex((known) => known === least);
}
