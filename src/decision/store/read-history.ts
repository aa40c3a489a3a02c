/**
 * Reads the admissions of a time page by page, newest first, by the id where the last page ended: a
 * page costs the same wherever it is, and what comes meanwhile changes none of them.
 */
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";
import { lowestUuid } from "./uuid-time.ts";

export interface HistoryFilter {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The first moment that is left out; `undefined`: none is. */
  readonly untilMs: number | undefined;
  /** `undefined`: all. */
  readonly server: string | undefined;
  /** The newest of them; `undefined`: all. */
  readonly limit: number | undefined;
}

const rowSchema = z.object({
  id: z.string(),
  server: z.nullable(z.string()),
  tool: z.nullable(z.string()),
  /** Exact text in base64; `null` where the payload was pruned. */
  record: z.nullable(z.string()),
});

/** One admission. */
export type HistoryRow = z.output<typeof rowSchema>;

/** Ids and records are made at nearly the same time; this much apart is allowed. */
const idSlackMs = 60 * 60_000;
const pageRows = 512;
const highestId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

const within = `
  d.kind = 'admission' AND d.decision_id < $1::uuid AND d.decision_id >= $2::uuid
  AND d.recorded_at >= $3::timestamptz
  AND ($4::timestamptz IS NULL OR d.recorded_at < $4::timestamptz)
  AND ($5::text IS NULL OR d.server = $5::text)`;

/**
 * `$1` id that the page is below, `$2` lowest id, `$3` earliest time, `$4` time that is left out, `$5`
 * server, `$6` rows; null filters nothing.
 */
const selectPage = `
SELECT json_build_object('id', d.decision_id::text, 'server', d.server, 'tool', d.tool,
  'record', translate(encode(p.record, 'base64'), E'\\n', '')) AS item
FROM (
  SELECT d.decision_id, d.server, coalesce(d.tool, d.action_type) AS tool
  FROM mcp_gateway.decision d
  WHERE ${within}
  ORDER BY d.decision_id DESC
  LIMIT $6::integer
) AS d
LEFT JOIN mcp_gateway.decision_payload p
  ON p.decision_id = d.decision_id AND p.kind = 'admission'
ORDER BY d.decision_id DESC`;

/** `$1` to `$5` as of a page, `$6` the most that are counted. */
const countRows = `
SELECT count(*)::integer AS rows
FROM (SELECT 1 FROM mcp_gateway.decision d WHERE ${within} LIMIT $6::bigint) AS found`;

const mostRows = Number.MAX_SAFE_INTEGER;

/** How many there are, for somebody to see how far it is. */
export async function countHistory(database: Queryable, filter: HistoryFilter): Promise<number> {
  const [row] = await database.query(countRows, [
    ...boundsOf(filter, undefined),
    filter.limit ?? mostRows,
  ]);
  return Number(row?.["rows"] ?? 0);
}

/** Pages of them. The next one is fetched while the one before is dealt with. */
export async function* readHistory(
  database: Queryable,
  filter: HistoryFilter,
): AsyncGenerator<readonly HistoryRow[]> {
  let left = filter.limit ?? mostRows;
  let next = readPage(database, filter, undefined, left);
  for (;;) {
    const page = await next;
    const last = page.at(-1);
    left -= page.length;
    if (last === undefined) return;
    const isLast = page.length < pageRows || left === 0;
    if (!isLast) {
      next = readPage(database, filter, last.id, left);
      // Whoever stops reading does not hear how the next page would have failed.
      next.catch(() => undefined);
    }
    yield page;
    if (isLast) return;
  }
}

async function readPage(
  database: Queryable,
  filter: HistoryFilter,
  below: string | undefined,
  left: number,
): Promise<readonly HistoryRow[]> {
  const rows = await database.query(selectPage, [
    ...boundsOf(filter, below),
    Math.min(left, pageRows),
  ]);
  return rows.map((row) => rowSchema.parse(row["item"]));
}

function boundsOf(
  { sinceMs, untilMs, server }: HistoryFilter,
  below: string | undefined,
): readonly unknown[] {
  const until = untilMs === undefined ? null : new Date(untilMs).toISOString();
  const highest = untilMs === undefined ? highestId : lowestUuid(untilMs + idSlackMs);
  const lowest = lowestUuid(Math.max(0, sinceMs - idSlackMs));
  return [below ?? highest, lowest, new Date(sinceMs).toISOString(), until, server ?? null];
}
