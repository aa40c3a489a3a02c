/**
 * How commands speak: data to stdout, talk to stderr, one exit code each. Commands get a `CliIo`
 * and touch neither `process` nor `console`, so that tests can run them in process.
 */
import { codeOf, messageOf } from "../errors.ts";
import type { ExitCode } from "./exit-code.ts";
import { exitCodeOf } from "./exit-code.ts";
import { printableLines } from "./printable.ts";

export interface CliIo {
  /** Writes data to stdout; the newline is added. */
  readonly out: (text: string) => void;
  /** Writes talk to stderr; the newline is added. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Reads stdin to its end; absent where there is none. */
  readonly readStdin?: () => Promise<string>;
  /** Columns of the terminal behind stdout; `undefined` where it is none. */
  readonly columns: number | undefined;
  /** Writes to stderr as it is; `undefined` where that is no terminal, or nobody draws. */
  readonly draw?: ((text: string) => void) | undefined;
  /** A signal that aborts when the command is interrupted, or nobody reads what it says any more. */
  readonly untilInterrupted?: () => AbortSignal;
  /** Sets the exit code of the process; the last call wins. */
  readonly exit: (code: ExitCode) => void;
}

/** Thrown by a command to end with a message on stderr and an exit code. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** Wraps a command's action: a thrown error becomes one line on stderr and an exit code. */
export function action<Args extends readonly unknown[]>(
  io: CliIo,
  run: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await run(...args);
    } catch (thrown) {
      reportError(io, thrown);
    }
  };
}

function reportError(io: CliIo, thrown: unknown): void {
  const code = codeOf(thrown);
  const message = printableLines(messageOf(thrown));
  io.err(code === undefined ? `error: ${message}` : `error: ${message} [${code}]`);
  io.exit(thrown instanceof CliError ? thrown.exitCode : exitCodeOf(thrown));
}
