/**
 * The reason that a person gives with `--why`. It goes into the record, so it has an end, and keys and
 * tokens are taken out of it.
 */
import { maxReasonCharacters } from "../contract/reason-limit.ts";
import { exitCodes } from "./exit-code.ts";
import { CliError } from "./io.ts";
import { openReasonScrubber } from "./open-record-mask.ts";

/**
 * A reason that is required.
 *
 * @param what - what it is for, for the message
 * @throws CliError usage, where it is missing or too long
 */
export function requireWhy(why: string | undefined, what: string): string {
  const text = why?.trim() ?? "";
  if (text !== "" && text.length <= maxReasonCharacters) return openReasonScrubber()(text);
  const found = text === "" ? "none" : `${text.length} characters`;
  throw new CliError(
    exitCodes.usage,
    `expected --why TEXT of at most ${maxReasonCharacters} characters for ${what}, found ${found}; it goes into the record`,
  );
}

/** One that may be left out, but not be empty or too long. */
export function readWhy(why: string | undefined, what: string): string | null {
  return why === undefined ? null : requireWhy(why, what);
}
