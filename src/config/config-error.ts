/**
 * What goes wrong before the gateway runs: a configuration that cannot be found, read or accepted,
 * and a state folder that others can write to. Messages name keys, places and types, never values
 * of places where a secret may stand.
 */
import { GatewayError } from "../errors.ts";

/** Codes of `ConfigError`; `docs/errors.md` has a row for each. */
export const configErrorCodes = [
  "config_not_found",
  "config_unreadable",
  "config_world_writable",
  "config_invalid",
  "state_dir_insecure",
  "state_dir_unusable",
] as const;
export type ConfigErrorCode = (typeof configErrorCodes)[number];

/** One thing to correct (or, as a warning, to know), with the place in the file. */
export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** RFC 6901 pointer of the value, `/servers/crm/agnet`; `""` is the whole document. */
  readonly pointer: string;
  readonly message: string;
  readonly excerpt: SourceExcerpt;
}

/** The line of a problem, with every value that may be secret and every comment left out. */
export interface SourceExcerpt {
  readonly text: string;
  /** Units of `text` before the caret. */
  readonly caret: number;
}

/** A configuration or state folder that the gateway does not start with. */
export class ConfigError extends GatewayError<ConfigErrorCode> {
  /** All problems in file order; empty unless the code is `config_invalid`. */
  readonly problems: readonly ConfigProblem[];
  /** Absolute path of the file that has the problems. */
  readonly path: string | undefined;

  constructor(
    code: ConfigErrorCode,
    message: string,
    options: { cause?: unknown; path?: string; problems?: readonly ConfigProblem[] } = {},
  ) {
    super(code, message, "cause" in options ? { cause: options.cause } : {});
    this.problems = options.problems ?? [];
    this.path = options.path;
  }
}

/** `path:line:column: message`, as compilers print it. */
export function formatProblem(path: string, problem: ConfigProblem): string {
  return `${path}:${problem.line}:${problem.column}: ${problem.message}`;
}
