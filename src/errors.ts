/**
 * The one shape of every error this product throws on purpose: a code a person can look up and a
 * message that says what was expected, what was found and what to do. Each module has its own
 * subclass with its own union of codes; `docs/errors.md` has a row for each code.
 */

/** An error with a stable, documented code. Messages never hold arguments, tokens or results. */
export class GatewayError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything that was thrown, without assuming that it is an `Error`. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a thrown system or gateway error, `undefined` where it has none. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
