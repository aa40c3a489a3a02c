/**
 * The records that an export is made of, in the order in which each writer wrote them: from an
 * embedded spool, or from Postgres.
 */
import { join } from "node:path";
import * as z from "zod";
import type { Clock } from "../../contract/ambient.ts";
import type { Queryable } from "../../database/database.ts";
import { openEnvelope } from "../integrity/envelope.ts";
import { readMembers } from "../record-header.ts";
import { spooledTexts } from "../spool/spooled-chain.ts";
import { listWriters } from "../spool/writer-folder.ts";

export interface ExportedRecord {
  readonly writer: string;
  readonly seq: number;
  /** As it was written, with its envelope; one line. */
  readonly text: string;
}

export interface ExportFilter {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The first moment that is left out; `undefined`: none is. */
  readonly untilMs: number | undefined;
  /** Only decisions of this server; `undefined`: everything. */
  readonly server: string | undefined;
}

/** The last place of each writer that was exported before. */
export type ExportedPlaces = ReadonlyMap<string, number>;

/** From the spools of an embedded store; nothing is written there. */
export async function* recordsOfSpool(
  spool: string,
  clock: Clock,
  filter: ExportFilter,
  after: ExportedPlaces,
): AsyncGenerator<ExportedRecord> {
  for (const writer of await listWriters(spool)) {
    for await (const text of spooledTexts(join(spool, writer), clock)) {
      const record = exported(text);
      if (record === undefined || record.seq <= (after.get(writer) ?? 0)) continue;
      if (passes(text, filter)) yield record;
    }
  }
}

const pageRows = 200;

/** `$1` writer and `$2` place after which the page begins, `$3` since, `$4` until, `$5` server. */
const selectPage = `
SELECT writer, seq::text AS seq, translate(encode(record, 'base64'), E'\\n', '') AS record
FROM (
  SELECT d.writer, d.seq, p.record, d.recorded_at, d.server, d.decision_id
  FROM mcp_gateway.decision d
  JOIN mcp_gateway.decision_payload p USING (decision_id, kind)
  UNION ALL SELECT writer, seq, record, recorded_at, layer, decision_id FROM mcp_gateway.activation
  UNION ALL SELECT writer, seq, record, recorded_at, server, decision_id FROM mcp_gateway.approval_event
  UNION ALL SELECT writer, seq, record, recorded_at, NULL, decision_id FROM mcp_gateway.admin_action
  UNION ALL SELECT writer, seq, record, recorded_at, server, decision_id FROM mcp_gateway.shadow_difference
) AS recorded
WHERE (writer, seq) > ($1, $2::bigint) AND recorded_at >= $3::timestamptz
  AND ($4::timestamptz IS NULL OR recorded_at < $4::timestamptz)
  AND ($5::text IS NULL OR server = $5::text)
ORDER BY writer, seq LIMIT ${pageRows}`;

const rowSchema = z.object({ writer: z.string(), seq: z.string(), record: z.string() });

/** From Postgres; what was pruned is not there. */
export async function* recordsOfStore(
  database: Queryable,
  filter: ExportFilter,
  after: ExportedPlaces,
): AsyncGenerator<ExportedRecord> {
  const { sinceMs, untilMs, server } = filter;
  const until = untilMs === undefined ? null : new Date(untilMs).toISOString();
  const bounds = [new Date(sinceMs).toISOString(), until, server ?? null];
  let [writer, seq] = ["", 0];
  for (;;) {
    const rows = await database.query(selectPage, [writer, seq, ...bounds]);
    for (const row of rows) {
      const found = rowSchema.parse(row);
      [writer, seq] = [found.writer, Number(found.seq)];
      if (seq <= (after.get(writer) ?? 0)) continue;
      const record = exported(Buffer.from(found.record, "base64").toString("utf8"));
      if (record !== undefined) yield record;
    }
    if (rows.length < pageRows) return;
  }
}

/** Line ends between the tokens of a record would be ends of lines of an export. */
function exported(text: string): ExportedRecord | undefined {
  const envelope = openEnvelope(text);
  if (envelope === undefined) return undefined;
  const { writer, seq } = envelope;
  return { writer, seq, text: text.replace(/[\r\n]/g, " ") };
}

function passes(text: string, { sinceMs, untilMs, server }: ExportFilter): boolean {
  const members = readMembers(text);
  const timeMs = Date.parse(String(members?.["timestamp"]));
  if (!(timeMs >= sinceMs) || (untilMs !== undefined && timeMs >= untilMs)) return false;
  return server === undefined || (members?.["server"] ?? members?.["layer"]) === server;
}
