/**
 * How a store is doing: its schema, what lies in it and since when, what waits for it on this machine,
 * and what it refused.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";
import { readMembers } from "../record-header.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { spoolStart } from "../spool/committed-mark.ts";
import { readSegment } from "../spool/read-segment.ts";
import { segmentName } from "../spool/segment.ts";
import { listSegments, listWriters } from "../spool/writer-folder.ts";
import { readCursors } from "./cursors.ts";

/** Rows are an estimate of the server where it has one. */
const selectTables = `
SELECT json_build_object(
  'name', c.relname, 'bytes', pg_total_relation_size(c.oid), 'rows', c.reltuples::float8
) AS item
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'mcp_gateway' AND c.relkind = 'r'
  AND c.relname ~ '^(decision|decision_payload|shadow_difference)_(default|[0-9]{8})$'
ORDER BY c.relname`;

const utc = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const selectSummary = `
SELECT json_build_object(
  'server', current_setting('server_version'),
  'schema', (SELECT max(name) FROM mcp_gateway.migration),
  'oldest', (SELECT ${utc("recorded_at")} FROM mcp_gateway.decision ORDER BY decision_id LIMIT 1),
  'newest', (SELECT ${utc("recorded_at")} FROM mcp_gateway.decision ORDER BY decision_id DESC LIMIT 1),
  'dead_letters', (SELECT count(*) FROM mcp_gateway.decision_dead_letter),
  'last_pruned', (SELECT ${utc("max(pruned_at)")} FROM mcp_gateway.prune_run)
) AS item`;

const tableSchema = z.object({ name: z.string(), bytes: z.number(), rows: z.number() });
const summarySchema = z.object({
  server: z.string(),
  schema: z.string().nullable(),
  oldest: z.string().nullable(),
  newest: z.string().nullable(),
  dead_letters: z.number(),
  last_pruned: z.string().nullable(),
});

/** One partition. */
export type StoredTable = z.output<typeof tableSchema>;

/** What lies in a spool and not in the store. */
export interface Waiting {
  readonly writers: number;
  readonly bytes: number;
  /** Time of the oldest record that waits; `null` where none does. */
  readonly oldest: string | null;
}

export type StoreStatus = z.output<typeof summarySchema> & {
  readonly partitions: readonly StoredTable[];
  readonly waiting: Waiting;
};

/** `spool`: the folder of this machine's writers for this store. */
export async function storeStatus(database: Queryable, spool: string): Promise<StoreStatus> {
  const [row] = await database.query(selectSummary);
  const partitions: StoredTable[] = [];
  for (const { item } of await database.query(selectTables)) {
    partitions.push(await counted(database, tableSchema.parse(item)));
  }
  const waiting = await waitingIn(spool, await readCursors(database));
  return { ...summarySchema.parse(row?.["item"]), partitions, waiting };
}

/** A table that nobody has analysed has no estimate; its name is one of the pattern's. */
async function counted(database: Queryable, table: StoredTable): Promise<StoredTable> {
  if (table.rows >= 0) return table;
  const [row] = await database.query(
    `SELECT count(*)::text AS rows FROM mcp_gateway.${table.name}`,
  );
  return { ...table, rows: Number(row?.["rows"]) };
}

async function waitingIn(
  spool: string,
  cursors: ReadonlyMap<string, SpoolPosition>,
): Promise<Waiting> {
  const times: string[] = [];
  let [writers, bytes] = [0, 0];
  for (const writer of await listWriters(spool)) {
    const found = await waitingOf(join(spool, writer), cursors.get(writer) ?? spoolStart);
    if (found === undefined) continue;
    writers += 1;
    bytes += found.bytes;
    if (found.oldest !== undefined) times.push(found.oldest);
  }
  return { writers, bytes, oldest: times.toSorted()[0] ?? null };
}

/** Of an open segment what was written ahead is no record. */
async function waitingOf(
  folder: string,
  from: SpoolPosition,
): Promise<{ readonly bytes: number; readonly oldest: string | undefined } | undefined> {
  let bytes = 0;
  let oldest: string | undefined;
  for (const segment of await listSegments(folder)) {
    if (segment < from.segment) continue;
    const path = join(folder, segmentName(segment));
    const start = segment === from.segment ? from.offset : 0;
    const read = await readSegment(path, start).catch(() => undefined);
    const [first] = read?.frames ?? [];
    if (read === undefined || first === undefined) continue;
    const timestamp = readMembers(first.payload.toString("utf8"))?.["timestamp"];
    oldest ??= typeof timestamp === "string" ? timestamp : undefined;
    const end = read.atEnd ? (read.frames.at(-1)?.end ?? start) : (await stat(path)).size;
    bytes += end - start;
  }
  return bytes === 0 ? undefined : { bytes, oldest };
}
