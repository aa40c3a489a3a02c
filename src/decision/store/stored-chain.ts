/**
 * One writer's records as the store has them, in the order of their places: decisions with the
 * columns beside them, whether the record is still there or not, what belongs to no decision, and
 * what could not be inserted.
 */
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import { foundColumns, foundText } from "../integrity/found-record.ts";
import { openEnvelope } from "../integrity/envelope.ts";

const pageRows = 500;

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
  SELECT d.seq, to_jsonb(d) AS columns, p.record,
    encode(d.previous_link, 'hex') AS previous, encode(d.link, 'hex') AS link,
    encode(d.record_sha256, 'hex') AS record_sha256
  FROM mcp_gateway.decision d
  LEFT JOIN mcp_gateway.decision_payload p USING (decision_id, kind)
  WHERE d.writer = $1 AND d.seq > $2::bigint
  UNION ALL
  SELECT seq, to_jsonb(a) || '{"kind": "activation"}', record, NULL, NULL, NULL
  FROM mcp_gateway.activation a WHERE writer = $1 AND seq > $2::bigint
  UNION ALL
  SELECT seq,
    to_jsonb(e) || jsonb_build_object('kind', 'approval', 'changed_by', decided_by, 'why', reason),
    record, NULL, NULL, NULL
  FROM mcp_gateway.approval_event e WHERE writer = $1 AND seq > $2::bigint
  UNION ALL
  SELECT seq,
    to_jsonb(c) || jsonb_build_object('kind', 'admin', 'changed_by', done_by, 'why', reason),
    record, NULL, NULL, NULL
  FROM mcp_gateway.admin_action c WHERE writer = $1 AND seq > $2::bigint
  UNION ALL
  SELECT seq, to_jsonb(s) || '{"kind": "shadow"}', record, NULL, NULL, NULL
  FROM mcp_gateway.shadow_difference s WHERE writer = $1 AND seq > $2::bigint
)
SELECT seq::text AS seq, columns, encode(record, 'base64') AS record, previous, link, record_sha256
FROM found
WHERE seq <= (
  SELECT max(place) FROM (SELECT seq AS place FROM found ORDER BY seq LIMIT $3) AS page
)
ORDER BY found.seq`;

const selectDeadLetters = `
SELECT encode(record, 'base64') AS record
FROM mcp_gateway.decision_dead_letter WHERE writer = $1 ORDER BY segment, frame_offset`;

const rowSchema = z.object({
  seq: z.string(),
  columns: z.record(z.string(), z.unknown()),
  record: z.string().nullable(),
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
  const letters = await deadLetters(database, writer);
  let after = 0;
  for (;;) {
    const rows = await database.query(selectChain, [writer, after, pageRows]);
    const page = rows.map((row) => found(writer, rowSchema.parse(row)));
    const last = page.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
    const buried = letters.filter(({ seq }) => seq > after && seq <= last);
    yield* [...page, ...buried].toSorted((left, right) => left.seq - right.seq);
    if (page.length === 0) return;
    after = last;
  }
}

function found(writer: string, row: z.output<typeof rowSchema>): FoundRecord {
  const { columns, record, previous, link, record_sha256: recordSha256 } = row;
  const place = { writer, seq: Number(row.seq), columns };
  if (record === null) {
    const links = { previous: previous ?? "", link: link ?? "", recordSha256: recordSha256 ?? "" };
    return foundColumns(place, links);
  }
  const text = foundText(Buffer.from(record, "base64").toString("utf8"), place);
  const isKept =
    recordSha256 === null || (text.recordSha256 === recordSha256 && text.link === link);
  if (isKept || text.problem !== undefined) return text;
  return { ...text, problem: "the links beside it are not those of the record" };
}

async function deadLetters(database: Queryable, writer: string): Promise<readonly FoundRecord[]> {
  const rows = await database.query(selectDeadLetters, [writer]);
  return rows.flatMap((row) => {
    const text = Buffer.from(letterSchema.parse(row).record, "base64").toString("utf8");
    const seq = openEnvelope(text)?.seq;
    return seq === undefined ? [] : [foundText(text, { writer, seq, columns: undefined })];
  });
}
