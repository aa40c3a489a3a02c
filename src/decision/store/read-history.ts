/**
 * Reads the admissions of a time page by page, newest first, by the id where the last page ended: a
 * page costs the same wherever it is, and what comes meanwhile changes none of them.
 */
import type { Queryable, Row } from "../../database/database.ts";
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

/** One admission. */
export interface HistoryRow {
  readonly id: string;
  readonly server: string | null;
  readonly tool: string | null;
  /** Exact text; `null` where the payload was pruned. */
  readonly record: string | null;
}

/** Recorded decisions of a time, wherever they are. */
export interface History {
  /** How many there are, for somebody to see how far it is. */
  readonly count: () => Promise<number>;
  readonly pages: () => AsyncIterable<readonly HistoryRow[]>;
}

/** Ids and records are made at nearly the same time; this much apart is allowed. */
const idSlackMs = 60 * 60_000;
const pageRows = 512;
const highestId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

const within = `
  d.kind = 'admission' AND d.decision_id < $1::uuid AND d.decision_id >= $2::uuid
  AND d.recorded_at >= $3::timestamptz
  AND ($4::timestamptz IS NULL OR d.recorded_at < $4::timestamptz)
  AND ($5::text IS NULL OR d.server = $5::text)`;

const withoutPayload = `
  AND NOT EXISTS (
    SELECT FROM mcp_gateway.decision_payload p
    WHERE p.decision_id = d.decision_id AND p.kind = 'admission')`;

/**
 * `$1` id that the page is below, `$2` lowest id, `$3` earliest time, `$4` time that is left out, `$5`
 * server, `$6` rows; null filters nothing.
 */
const selectPage = (more = ""): string => `
SELECT d.decision_id::text AS id, d.server, d.tool, convert_from(p.record, 'UTF8') AS record
FROM (
  SELECT d.decision_id, d.server, coalesce(d.tool, d.action_type) AS tool
  FROM mcp_gateway.decision d
  WHERE ${within}${more}
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

/** What a database has. */
export function storedHistory(database: Queryable, filter: HistoryFilter): History {
  return {
    count: async () => {
      const most = filter.limit ?? mostRows;
      const [row] = await database.query(countRows, [...boundsOf(filter, undefined), most]);
      return Number(row?.["rows"] ?? 0);
    },
    pages: () => readPages(database, filter, selectPage()),
  };
}

/** Those of which the headers alone are left. */
export async function readPruned(
  database: Queryable,
  filter: HistoryFilter,
): Promise<readonly HistoryRow[]> {
  const found: HistoryRow[] = [];
  for await (const page of readPages(database, filter, selectPage(withoutPayload))) {
    found.push(...page);
  }
  return found;
}

async function* readPages(
  database: Queryable,
  filter: HistoryFilter,
  statement: string,
): AsyncGenerator<readonly HistoryRow[]> {
  let left = filter.limit ?? mostRows;
  let below: string | undefined;
  for (;;) {
    const most = Math.min(left, pageRows);
    const rows = await database.query(statement, [...boundsOf(filter, below), most]);
    if (rows.length > 0) yield rows.map(rowOf);
    left -= rows.length;
    below = String(rows.at(-1)?.["id"]);
    if (rows.length < pageRows || left === 0) return;
  }
}

function rowOf({ id, server, tool, record }: Row): HistoryRow {
  return {
    id: String(id),
    server: textOrNull(server),
    tool: textOrNull(tool),
    record: textOrNull(record),
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
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
