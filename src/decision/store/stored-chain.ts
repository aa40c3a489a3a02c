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

const pageRows = 500;
/** Places count from 1, and as far as numbers are exact. */
const lastPlace = Number.MAX_SAFE_INTEGER;

const selectWriters = `
SELECT writer FROM mcp_gateway.decision
UNION SELECT writer FROM mcp_gateway.activation
UNION SELECT writer FROM mcp_gateway.approval_event
UNION SELECT writer FROM mcp_gateway.admin_action
UNION SELECT writer FROM mcp_gateway.shadow_difference
UNION SELECT writer FROM mcp_gateway.decision_dead_letter
ORDER BY writer`;

/** `$1` writer, `$2` the place after which to begin, `$3` at most so many places. */
const selectChain = `
WITH found AS (
  SELECT d.seq, to_jsonb(d) AS columns, p.record, p.document,
    encode(d.previous_link, 'hex') AS previous, encode(d.link, 'hex') AS link,
    encode(d.record_sha256, 'hex') AS record_sha256
  FROM mcp_gateway.decision d
  LEFT JOIN mcp_gateway.decision_payload p USING (decision_id, kind)
  WHERE d.writer = $1 AND d.seq > $2::bigint AND d.seq <= ${lastPlace}
  UNION ALL
  SELECT seq, to_jsonb(a) || '{"kind": "activation"}', record, NULL, NULL, NULL, NULL
  FROM mcp_gateway.activation a WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
  UNION ALL
  SELECT seq,
    to_jsonb(e) || jsonb_build_object('kind', 'approval', 'changed_by', decided_by, 'why', reason),
    record, NULL, NULL, NULL, NULL
  FROM mcp_gateway.approval_event e WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
  UNION ALL
  SELECT seq,
    to_jsonb(c) || jsonb_build_object('kind', 'admin', 'changed_by', done_by, 'why', reason),
    record, NULL, NULL, NULL, NULL
  FROM mcp_gateway.admin_action c WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
  UNION ALL
  SELECT seq, to_jsonb(s) || '{"kind": "shadow"}', record, NULL, NULL, NULL, NULL
  FROM mcp_gateway.shadow_difference s WHERE writer = $1 AND seq > $2::bigint AND seq <= ${lastPlace}
)
SELECT seq::text AS seq, columns, encode(record, 'base64') AS record, document,
  previous, link, record_sha256
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
  previous: z.string().nullable(),
  link: z.string().nullable(),
  record_sha256: z.string().nullable(),
});
const letterSchema = z.object({ record: z.string() });

/** Every writer that the store has something of. */
export async function storedWriters(database: Queryable): Promise<readonly string[]> {
  const rows = await database.query(selectWriters);
  return rows.map(({ writer }) => String(writer));
}

/** The records of one writer, in order of their places. */
export async function* storedChain(
  database: Queryable,
  writer: string,
): AsyncGenerator<FoundRecord> {
  const [misplaced] = await database.query(selectMisplaced, [writer]);
  if (misplaced !== undefined) yield unreadable(0, "it is at a place that no record has");
  const letters = await deadLetters(database, writer);
  let after = 0;
  for (;;) {
    const rows = await database.query(selectChain, [writer, after, pageRows]);
    const page = rows.map((row) => found(writer, row));
    const last = page.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
    const buried = letters.filter(({ seq }) => seq > after && seq <= last);
    yield* [...page, ...buried].toSorted((left, right) => left.seq - right.seq);
    if (page.length === 0) return;
    after = last;
  }
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
  const text = foundText(json, place);
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
