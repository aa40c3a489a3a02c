/**
 * The log of a command: what a person should know goes to stderr in words, and what is only
 * interesting in a service is left out.
 */
import type { Log } from "../contract/ambient.ts";
import type { CliIo } from "./io.ts";

/** Warnings and errors for a person. */
export function talkingLog(io: CliIo): Log {
  const say =
    (word: string) =>
    (details: object, message: string): void => {
      const problem = "problem" in details ? `: ${String(details.problem)}` : "";
      io.err(`${word}: ${message}${problem}`);
    };
  const log: Log = {
    error: say("error"),
    warn: say("warning"),
    info: ignore,
    debug: ignore,
    child: () => log,
  };
  return log;
}

function ignore(): void {}
