/**
 * Turns one record of the spool into the row that the store keeps: its header, its place in its
 * writer's chain, and the record itself, untouched.
 */
import { hash } from "node:crypto";
import { openEnvelope } from "../integrity/envelope.ts";
import { headerOf, readMembers } from "../record-header.ts";
import type { RecordHeader } from "../record-header.ts";
import { isUuid } from "./uuid-time.ts";

/** Far above what the wire lets in; PGlite's parser has no guard of its own and breaks for good. */
const documentMaxDepth = 512;

/** One element of the JSON array that `insertDecisions` gets; names are the columns'. */
export type DecisionRow = RecordHeader & {
  readonly decision_id: string;
  readonly record: string;
};

/** The row of a record's text, `undefined` where it is no record that a header can be made of. */
export function readRow(text: string): DecisionRow | undefined {
  const record = readMembers(text);
  const header = record === undefined ? undefined : headerOf(record);
  const envelope = openEnvelope(text);
  if (record === undefined || header === undefined || envelope === undefined) return undefined;
  const { decision_id } = header;
  if (decision_id === null || !isUuid(decision_id)) return undefined;
  return {
    ...header,
    decision_id,
    writer: envelope.writer,
    seq: envelope.seq,
    previous_link: envelope.previous,
    link: envelope.link,
    record_sha256: hash("sha256", envelope.text),
    is_queryable: isShallow(record, documentMaxDepth),
    record: text,
  };
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isShallow(member, depth - 1));
}
