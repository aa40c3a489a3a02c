/**
 * Lists the records that are no part of a decision: what bundles did, what became of requests for
 * approval, what operators changed, what shadows would have decided. Newest first, each whole.
 */
import * as z from "zod";
import type { NotedRecord } from "../../contract/record.ts";
import type { Queryable } from "../../database/database.ts";
import { membersOfStored, recordNotWhole } from "./stored-record.ts";
import { lowestUuid } from "./uuid-time.ts";

export const noteKinds = [
  "activation",
  "approval",
  "admin",
  "shadow",
] as const satisfies readonly NotedRecord["kind"][];

export interface NoteFilter {
  readonly kind: (typeof noteKinds)[number];
  /** Milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  /** Server, or layer, that a record is about; `undefined`: all. */
  readonly about: string | undefined;
  readonly limit: number;
}

const text = z.nullish(z.string());

/** What is the same in all of them; other members go along. */
const noteSchema = z.looseObject({
  kind: z.string(),
  decision_id: z.string(),
  timestamp: z.string().refine((time) => !Number.isNaN(Date.parse(time))),
  layer: text,
  server: text,
  tool: text,
  subject: text,
  event: text,
  action: text,
  revision: text,
  digest: text,
  by: text,
  why: text,
  reason: text,
  code: text,
  difference: text,
  was: z.optional(z.looseObject({ effect: text })),
  would: z.optional(z.looseObject({ effect: text, reasons: z.optional(z.array(z.string())) })),
});

/** One record as it was written. */
export type Note = z.output<typeof noteSchema>;

/** `$1` kind, `$2` lowest id, `$3` limit, `$4` server or layer; null filters nothing. */
const selectNotes = `
SELECT decision_id::text AS id, encode(record, 'base64') AS record
FROM mcp_gateway.note
WHERE kind = $1::text
  AND decision_id >= $2::uuid
  AND ($4::text IS NULL
    OR mcp_gateway.try_jsonb(convert_from(record, 'UTF8')) ->> 'layer' = $4::text
    OR mcp_gateway.try_jsonb(convert_from(record, 'UTF8')) ->> 'server' = $4::text)
ORDER BY decision_id DESC
LIMIT $3::integer`;

/** Records that match. Throws `record_not_whole` where one of them is not as it was written. */
export async function listNotes(
  database: Queryable,
  { kind, sinceMs = 0, about, limit }: NoteFilter,
): Promise<readonly Note[]> {
  const rows = await database.query(selectNotes, [kind, lowestUuid(sinceMs), limit, about ?? null]);
  return rows.map(({ id, record }) => {
    const read = noteSchema.safeParse(membersOfStored(String(id), String(record)));
    if (!read.success) throw recordNotWhole(String(id), "something else");
    return read.data;
  });
}
