/**
 * What takes exported lines. It has taken them once it says so, and throws where it has not, so that
 * they are offered again.
 */

/** One that will never be taken. */
export interface RefusedLine {
  readonly line: string;
  /** That it was refused with over HTTP. */
  readonly status: number | undefined;
}

export interface EventSink {
  /** As logs and `status` name it: no query, no login. */
  readonly name: string;
  /**
   * Resolves to those of the lines that it will never take; throws `export_failed` and system errors.
   * After that the same lines are offered again, with more behind them.
   */
  readonly take: (lines: readonly string[], signal: AbortSignal) => Promise<readonly RefusedLine[]>;
}

/** Each with the end of its line. */
export function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
