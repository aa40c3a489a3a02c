/**
 * Errors of the Rego toolchain itself, as opposed to problems of a policy, which are values.
 */
import { GatewayError } from "../errors.ts";
import type { RegoProblem } from "./answers.ts";

export type RegoErrorCode =
  /** A policy folder cannot be read, or its policy is not in order. */
  | "rego_invalid"
  /** A request ran past its deadline. */
  | "rego_timeout"
  /** The toolchain's program ended or answered something else than an answer. */
  | "rego_crashed"
  /** The toolchain was closed while a request was open. */
  | "rego_closed"
  /** A file of the toolchain's artifact is not there. */
  | "rego_toolchain_missing"
  /** A file of the toolchain's artifact is not the one that was released. */
  | "rego_toolchain_corrupt";

/** What keeps the toolchain from answering. */
export class RegoError extends GatewayError<RegoErrorCode> {
  /** With `rego_invalid`: each problem with its place; empty otherwise. */
  readonly problems: readonly RegoProblem[];

  constructor(
    code: RegoErrorCode,
    message: string,
    options?: { cause?: unknown; problems?: readonly RegoProblem[] },
  ) {
    super(code, message, options);
    this.problems = options?.problems ?? [];
  }
}
