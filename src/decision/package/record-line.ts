/**
 * One record as a line of a package: its text as it was written, or what is left of one whose payload
 * was pruned. Whoever reads it takes the digests anew.
 */
import * as z from "zod/mini";
import type { FoundRecord } from "../integrity/chain-check.ts";
import { openEnvelope } from "../integrity/envelope.ts";
import { foundColumns, foundText, unreadable } from "../integrity/found-record.ts";

const prunedSchema = z.strictObject({
  pruned: z.literal(true),
  seq: z.int(),
  previous_link: z.string(),
  link: z.string(),
  record_sha256: z.string(),
  header: z.record(z.string(), z.unknown()),
});

/** The line of a record that was found. */
export function recordLine(record: FoundRecord): string {
  const { text, columns, seq, previous, link, recordSha256 } = record;
  if (text !== undefined) return /[\r\n]/.test(text) ? JSON.stringify(text) : text;
  const places = { seq, previous_link: previous, link, record_sha256: recordSha256 };
  return JSON.stringify({ pruned: true, ...places, header: columns ?? {} });
}

/** The text of a line; `undefined` where it holds none. */
export function textOfLine(line: string): string | undefined {
  const text = line.startsWith('"') ? parsed(line) : line;
  return typeof text === "string" && openEnvelope(text) !== undefined ? text : undefined;
}

/** The record of a line of this writer, with digests of what stands there; `after`: the place before. */
export function readRecordLine(line: string, writer: string, after: number): FoundRecord {
  const text = textOfLine(line);
  if (text !== undefined) {
    const seq = openEnvelope(text)?.seq ?? after + 1;
    return foundText(text, { writer, seq, columns: undefined });
  }
  const left = prunedSchema.safeParse(parsed(line));
  if (!left.success) return unreadable(after + 1, "it is no record");
  const { seq, header, previous_link: previous, link, record_sha256: recordSha256 } = left.data;
  return foundColumns({ writer, seq, columns: header }, { previous, link, recordSha256 });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
