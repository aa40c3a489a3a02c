/**
 * One writer's records as the store has them, in the order of their places: decisions with the
 * columns beside them, whether the record is still there or not, what belongs to no decision, and
 * what could not be inserted.
 */
import * as z from "zod";
import { canonicalJson } from "../../contract/canonical-json.ts";
import type { Queryable, Row } from "../../database/database.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import { foundColumns, foundText, unreadable } from "../integrity/found-record.ts";
import type { StoredPlace } from "../integrity/found-record.ts";
import { openEnvelope } from "../integrity/envelope.ts";
import { lowestUuid } from "./uuid-time.ts";

const pageRows = 500;
/** Places count from 1, and as far as numbers are exact. */
const lastPlace = Number.MAX_SAFE_INTEGER;

/** `$1` the lowest id: days before it are not read. */
const selectWriters = `
SELECT writer FROM mcp_gateway.decision WHERE decision_id >= $1::uuid
UNION SELECT writer FROM mcp_gateway.activation WHERE decision_id >= $1::uuid
UNION SELECT writer FROM mcp_gateway.approval_event WHERE decision_id >= $1::uuid
UNION SELECT writer FROM mcp_gateway.admin_action WHERE decision_id >= $1::uuid
UNION SELECT writer FROM mcp_gateway.shadow_difference WHERE decision_id >= $1::uuid
UNION SELECT writer FROM mcp_gateway.decision_dead_letter
ORDER BY writer`;

/**
 * `$1` writer, `$2` the place after which to begin, `$3` at most so many places, `$4` the lowest id:
 * days before it are not read.
 */
const selectChain = `
WITH found AS (
  SELECT d.seq, to_jsonb(d) AS columns, p.record, p.document,
    p.record IS NOT NULL AND p.document IS NULL AS is_undocumented,
    encode(d.previous_link, 'hex') AS previous, encode(d.link, 'hex') AS link,
    encode(d.record_sha256, 'hex') AS record_sha256
  FROM mcp_gateway.decision d
  LEFT JOIN mcp_gateway.decision_payload p
    ON p.decision_id = d.decision_id AND p.kind = d.kind AND p.decision_id >= $4::uuid
  WHERE d.writer = $1 AND d.seq > $2::bigint AND d.seq <= ${lastPlace} AND d.decision_id >= $4::uuid
  UNION ALL
  SELECT seq, to_jsonb(a) || '{"kind": "activation"}', record, NULL, false, NULL, NULL, NULL
  FROM mcp_gateway.activation a WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
  UNION ALL
  SELECT seq,
    to_jsonb(e) || jsonb_build_object('kind', 'approval', 'changed_by', decided_by, 'why', reason),
    record, NULL, false, NULL, NULL, NULL
  FROM mcp_gateway.approval_event e WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
  UNION ALL
  SELECT seq,
    to_jsonb(c) || jsonb_build_object('kind', 'admin', 'changed_by', done_by, 'why', reason),
    record, NULL, false, NULL, NULL, NULL
  FROM mcp_gateway.admin_action c WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
  UNION ALL
  SELECT seq, to_jsonb(s) || '{"kind": "shadow"}', record, NULL, false, NULL, NULL, NULL
  FROM mcp_gateway.shadow_difference s
  WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace} AND decision_id >= $4::uuid
)
SELECT seq::text AS seq, columns, encode(record, 'base64') AS record, document,
  is_undocumented, previous, link, record_sha256
FROM found
WHERE seq <= (
  SELECT max(place) FROM (SELECT seq AS place FROM found ORDER BY seq LIMIT $3) AS page
)
ORDER BY found.seq`;

/** `$1` writer: whether it has a record where no writer puts one. */
const selectMisplaced = `
SELECT 1 AS misplaced FROM (
  SELECT writer, seq FROM mcp_gateway.decision
  UNION ALL SELECT writer, seq FROM mcp_gateway.activation
  UNION ALL SELECT writer, seq FROM mcp_gateway.approval_event
  UNION ALL SELECT writer, seq FROM mcp_gateway.admin_action
  UNION ALL SELECT writer, seq FROM mcp_gateway.shadow_difference
) AS placed
WHERE writer = $1 AND (seq < 1 OR seq > ${lastPlace}) LIMIT 1`;

const selectDeadLetters = `
SELECT encode(record, 'base64') AS record
FROM mcp_gateway.decision_dead_letter WHERE writer = $1 ORDER BY segment, frame_offset`;

const rowSchema = z.object({
  seq: z.string(),
  columns: z.record(z.string(), z.unknown()),
  record: z.string().nullable(),
  /** What the views show of the record. */
  document: z.unknown(),
  is_undocumented: z.boolean(),
  previous: z.string().nullable(),
  link: z.string().nullable(),
  record_sha256: z.string().nullable(),
});
const letterSchema = z.object({ record: z.string() });

/** Every writer that the store has something of, in days that reach behind a time. */
export async function storedWriters(database: Queryable, sinceMs = 0): Promise<readonly string[]> {
  const rows = await database.query(selectWriters, [lowestUuid(sinceMs)]);
  return rows.map(({ writer }) => String(writer));
}

/** The records of one writer, in order of their places. */
export async function* storedChain(
  database: Queryable,
  writer: string,
): AsyncGenerator<FoundRecord> {
  const [misplaced] = await database.query(selectMisplaced, [writer]);
  if (misplaced !== undefined) yield unreadable(0, "it is at a place that no record has");
  yield* storedChainFrom(database, writer, { seq: 0, timeMs: 0 });
}

/** Behind which place a chain is read, and since when its records were decided, as far as is known. */
export interface ChainPlace {
  readonly seq: number;
  readonly timeMs: number;
}

/**
 * The records behind a place. Days before its time are read only where places are missing without
 * them: an outcome lies in the day of its call.
 */
export async function* storedChainFrom(
  database: Queryable,
  writer: string,
  { seq, timeMs }: ChainPlace,
): AsyncGenerator<FoundRecord> {
  const letters = await deadLetters(database, writer);
  const read = async (after: number, sinceMs: number): Promise<readonly FoundRecord[]> => {
    const parameters = [writer, after, pageRows, lowestUuid(sinceMs)];
    const page = (await database.query(selectChain, parameters)).map((row) => found(writer, row));
    const last = page.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
    const buried = letters.filter((letter) => letter.seq > after && letter.seq <= last);
    return [...page, ...buried].toSorted((left, right) => left.seq - right.seq);
  };
  for (let after = seq; ;) {
    const near = await read(after, timeMs);
    const page = timeMs === 0 || isGapless(near, after) ? near : await read(after, 0);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

/** False for nothing: what comes next may lie in a day before. */
function isGapless(page: readonly FoundRecord[], after: number): boolean {
  return page.length > 0 && page.every((record, index) => record.seq === after + 1 + index);
}

/** Whoever can write the store can write rows that break a reader. */
function found(writer: string, row: Row): FoundRecord {
  try {
    return read(writer, rowSchema.parse(row));
  } catch {
    return unreadable(Number(row["seq"]), "it cannot be read");
  }
}

function read(writer: string, row: z.output<typeof rowSchema>): FoundRecord {
  const { columns, record, previous, link, record_sha256: recordSha256 } = row;
  const place = { writer, seq: Number(row.seq), columns };
  if (record === null) {
    const links = { previous: previous ?? "", link: link ?? "", recordSha256: recordSha256 ?? "" };
    return foundColumns(place, links);
  }
  const json = Buffer.from(record, "base64").toString("utf8");
  const isUndocumented = row.is_undocumented;
  const text = { ...foundText(json, place), isUndocumented };
  const isKept =
    recordSha256 === null || (text.recordSha256 === recordSha256 && text.link === link);
  if (text.problem !== undefined) return text;
  if (!isDocumentOf(row.document ?? null, json)) {
    return { ...text, problem: "the document beside it is not the record" };
  }
  if (isKept) return text;
  return { ...text, problem: "the links beside it are not those of the record" };
}

async function deadLetters(database: Queryable, writer: string): Promise<readonly FoundRecord[]> {
  const rows = await database.query(selectDeadLetters, [writer]);
  return rows.flatMap((row) => {
    const text = Buffer.from(letterSchema.parse(row).record, "base64").toString("utf8");
    const seq = openEnvelope(text)?.seq;
    return seq === undefined ? [] : [foundLetter(text, { writer, seq, columns: undefined })];
  });
}

function foundLetter(text: string, place: StoredPlace): FoundRecord {
  try {
    return { ...foundText(text, place), isDeadLetter: true };
  } catch {
    return unreadable(place.seq, "it cannot be read");
  }
}

/** A store that refuses what JSON allows has none. */
function isDocumentOf(document: unknown, json: string): boolean {
  return document === null || canonicalJson(document) === canonicalJson(JSON.parse(json));
}
