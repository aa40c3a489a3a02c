/**
 * The log of a process on stderr, with secrets kept out of it: detectors work from the first line,
 * and what a configuration keeps secret is known once it was read.
 */
import type { Log } from "../contract/ambient.ts";
import type { LogLevel } from "../telemetry/log.ts";
import { createLog, parseLogLevel } from "../telemetry/log.ts";
import type { CliIo } from "./io.ts";
import { openLineScrubber } from "./open-record-mask.ts";

export interface ScrubbedLog {
  readonly log: Log;
  /** From here on these are taken out too. */
  readonly hide: (secrets: readonly string[]) => void;
}

/** `level`: where the environment names none. */
export function openLog({ env }: Pick<CliIo, "env">, level: LogLevel): ScrubbedLog {
  let scrub = openLineScrubber();
  const log = createLog({
    level: parseLogLevel(env["MCP_GATEWAY_LOG"]) ?? level,
    scrub: (line) => scrub(line),
  });
  return {
    log,
    hide: (secrets) => {
      scrub = openLineScrubber(secrets);
    },
  };
}
