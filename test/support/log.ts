/**
 * A log that keeps its lines, so that a test can look at what an operator would see.
 */
import type { Log } from "../../src/contract/ambient.ts";

export interface LogLine {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly message: string;
  readonly data: object;
}

export function createTestLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine["level"]) =>
    (data: object, message: string): void =>
      void lines.push({ level, message, data });
  const log = {
    lines,
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    child: (): Log => log,
  };
  return log;
}
