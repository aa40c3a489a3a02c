/**
 * What takes exported lines. It has taken them once it says so, and throws where it has not, so that
 * they are offered again.
 */

export interface EventSink {
  /** As logs and `status` name it: no query, no login. */
  readonly name: string;
  /** Resolves to how many of the lines it will never take; throws `export_failed` and system errors. */
  readonly take: (lines: readonly string[], signal: AbortSignal) => Promise<number>;
}

/** Each with the end of its line. */
export function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
