/**
 * The text of a record as the store has it. Whoever can write the store can put anything in its place,
 * so what cannot be read is no defect of ours: it is said that the record is not whole.
 */
import { DecisionError } from "../decision-error.ts";
import type { Members } from "../record-header.ts";
import { readMembers } from "../record-header.ts";

/** The members of a record in base64; throws `record_not_whole`. */
export function membersOfStored(id: string, base64: string): Members {
  const record = readMembers(Buffer.from(base64, "base64").toString("utf8"));
  if (record === undefined) throw recordNotWhole(id, "no JSON object");
  return record;
}

/** `found`: what stands there instead, in words; nothing of it is repeated. */
export function recordNotWhole(id: string, found: string): DecisionError {
  return new DecisionError(
    "record_not_whole",
    `expected the record of ${id} as it was written, found ${found} in its place; see mcp-gateway audit verify`,
  );
}
