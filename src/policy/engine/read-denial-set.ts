/**
 * Reads a decision that is a set of what speaks against the call, as a module answers that was
 * compiled with `deny` or `violation` for its entrypoint.
 */
import type { Json } from "../../contract/json.ts";
import type { Answered } from "./shape.ts";

/** True for a list where a rule of that name was asked. */
export function isDenialSet(
  decision: Answered,
  entrypoint: string | undefined,
): decision is readonly Json[] {
  const name = entrypoint?.split("/").at(-1);
  return Array.isArray(decision) && (name === "deny" || name === "violation");
}

/** Denials as the contract has them: a sentence alone is no code but the message of one. */
export function readDenialSet(elements: readonly Json[]): Json[] {
  return elements.map((element) => (typeof element === "string" ? { msg: element } : element));
}
