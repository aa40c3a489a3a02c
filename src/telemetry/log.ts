/**
 * The process's log: pino to stderr, written synchronously so that the last line before an exit is
 * there. Nobody hands arguments, tokens or results to a log; what servers and libraries write into
 * errors is taken out by whoever opens it.
 */
import { destination as openDestination, pino, stdTimeFunctions } from "pino";
import type { DestinationStream, Logger } from "pino";
import type { Log } from "../contract/ambient.ts";

export const logLevels = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: stderr. */
  readonly destination?: DestinationStream;
  /** Takes out of a line what nobody may read. */
  readonly scrub?: (line: string) => string;
}

/** A log; each line is one JSON object with `level`, `time`, `msg` and the data. */
export function createLog(options: LogOptions): Log {
  const destination = options.destination ?? openDestination({ fd: 2, sync: true });
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const { scrub } = options;
  const scrubbing = scrub && { write: (line: string) => destination.write(scrub(line)) };
  return toLog(pino(settings, scrubbing ?? destination));
}

/** The level that `MCP_GATEWAY_LOG` names; `undefined` where it names none. */
export function parseLogLevel(value: string | undefined): LogLevel | undefined {
  return logLevels.find((level) => level === value?.toLowerCase());
}

function toLog(logger: Logger): Log {
  return {
    error: (data, message) => logger.error(data, message),
    warn: (data, message) => logger.warn(data, message),
    info: (data, message) => logger.info(data, message),
    debug: (data, message) => logger.debug(data, message),
    child: (bindings) => toLog(logger.child(bindings)),
  };
}
