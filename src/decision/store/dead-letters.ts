/**
 * What the store refused: lists, one whole, tried again, or dropped. A letter that is inserted after
 * all leaves its table in the same statement; one that is dropped leaves a place in its writer's chain,
 * which is stated before.
 */
import * as z from "zod";
import type { Database, Queryable } from "../../database/database.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";
import { openEnvelope } from "../integrity/envelope.ts";
import type { Prove } from "../integrity/pruned-range.ts";
import { insertLetter } from "./insert-decisions.ts";
import type { Partitions } from "./partitions.ts";
import { readRow } from "./read-row.ts";

const columns = `json_build_object(
  'id', writer || '/' || segment || '/' || frame_offset,
  'received_at', to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'code', code, 'message', message, 'bytes', octet_length(record)
) AS item, encode(record, 'base64') AS record, writer, segment, frame_offset::text AS frame_offset`;

/** `$1` at most so many. */
const selectLetters = `
SELECT ${columns} FROM mcp_gateway.decision_dead_letter
ORDER BY received_at DESC, writer, segment, frame_offset LIMIT $1::integer`;

/** `$1` writer, `$2` segment, `$3` offset. */
const selectLetter = `
SELECT ${columns} FROM mcp_gateway.decision_dead_letter
WHERE writer = $1 AND segment = $2::integer AND frame_offset = $3::bigint`;

const deleteLetter = `
DELETE FROM mcp_gateway.decision_dead_letter
WHERE writer = $1 AND segment = $2::integer AND frame_offset = $3::bigint`;

const letterSchema = z.object({
  item: z.object({
    id: z.string(),
    received_at: z.string(),
    code: z.string(),
    message: z.string(),
    bytes: z.number(),
  }),
  record: z.string(),
});

/** One in a list; snake_case, as it is printed. */
export type DeadLetter = z.output<typeof letterSchema>["item"];

/** One with the exact text of its record. */
export type WholeLetter = DeadLetter & { readonly record: string };

/** Newest first. */
export async function listDeadLetters(
  database: Queryable,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const rows = await database.query(selectLetters, [limit]);
  return rows.map((row) => letterSchema.parse(row).item);
}

/** @throws DecisionError `dead_letter_unknown` */
export async function getDeadLetter(database: Queryable, id: string): Promise<WholeLetter> {
  const place = placeOf(id);
  const [row] = place === undefined ? [] : await database.query(selectLetter, place);
  if (row === undefined) throw unknown(id);
  const { item, record } = letterSchema.parse(row);
  return { ...item, record: Buffer.from(record, "base64").toString("utf8") };
}

/** What became of one that was tried again. */
export interface Retried {
  readonly id: string;
  readonly inserted: boolean;
  /** Why the store refused it again; `null` where it did not. */
  readonly code: string | null;
  readonly message: string | null;
}

/**
 * Tries to insert one again: a later version, or a database that was mended, may take it.
 *
 * @throws DecisionError `dead_letter_unknown`; what the database throws where it is away
 */
export async function retryDeadLetter(
  database: Database,
  partitions: Partitions,
  id: string,
): Promise<Retried> {
  const { record } = await getDeadLetter(database, id);
  const row = readRow(record);
  if (row === undefined) {
    return refused(id, "not_a_record", "not a decision record that this version knows");
  }
  await partitions.ensureFor([row.decision_id]);
  try {
    await database.query(insertLetter, [JSON.stringify([row]), ...(placeOf(id) ?? [])]);
    return { id, inserted: true, code: null, message: null };
  } catch (thrown) {
    const code = codeOf(thrown) ?? "";
    if (!/^(?:22|23|54)[0-9A-Z]{3}$/.test(code)) throw thrown;
    return refused(id, code, messageOf(thrown));
  }
}

/**
 * Drops one for good.
 *
 * @throws DecisionError `dead_letter_unknown`
 */
export async function dropDeadLetter(
  database: Database,
  id: string,
  prove: Prove,
): Promise<WholeLetter> {
  const letter = await getDeadLetter(database, id);
  const envelope = openEnvelope(letter.record);
  if (envelope !== undefined) {
    const { writer, seq, previous, link } = envelope;
    await prove(new Map([[writer, [{ first: seq, last: seq, previous, link }]]]));
  }
  await database.query(deleteLetter, placeOf(id));
  return letter;
}

function refused(id: string, code: string, message: string): Retried {
  return { id, inserted: false, code, message };
}

/** Writer, segment and offset. */
function placeOf(id: string): readonly [string, number, string] | undefined {
  const [, writer, segment, offset] = /^([^/]{1,64})\/(\d{1,9})\/(\d{1,15})$/.exec(id) ?? [];
  if (writer === undefined || offset === undefined) return undefined;
  return [writer, Number(segment), offset];
}

function unknown(id: string): DecisionError {
  const message = `expected a dead letter with id ${id.slice(0, 120)}, found none; see mcp-gateway db dead-letters list`;
  return new DecisionError("dead_letter_unknown", message);
}
