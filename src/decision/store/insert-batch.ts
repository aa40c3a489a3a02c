/**
 * Puts a batch of frames into the store. A batch that the database refuses because of what is in it
 * is halved until the one bad record stands alone and goes to the dead-letter table: it blocks
 * nobody. Any other failure is thrown, and the batch is sent again later.
 */
import type { Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { codeOf, messageOf } from "../../errors.ts";
import type { Frame } from "../spool/frame.ts";
import { insertDeadLetter, insertDecisions } from "./insert-decisions.ts";
import type { Partitions } from "./partitions.ts";
import { readRow } from "./read-row.ts";
import type { DecisionRow } from "./read-row.ts";

export interface BatchTarget {
  readonly database: Database;
  readonly partitions: Partitions;
  readonly log: Log;
  /** Tells others that a batch is there; left out where nobody watches. */
  readonly tell?: () => Promise<void>;
}

/** Frames of one segment of one writer, in order. */
export interface Batch {
  readonly writer: string;
  readonly segment: number;
  readonly frames: readonly Frame[];
}

/** Resolves to the number of records that went to the dead-letter table. */
export async function insertBatch(target: BatchTarget, batch: Batch): Promise<number> {
  const [first] = batch.frames;
  if (first === undefined) return 0;
  const rows = batch.frames.map((frame) => readRow(frame.payload.toString("utf8")));
  if (rows.every((row) => row !== undefined)) {
    const refusal = await tryInsert(target, batch, rows);
    if (refusal === undefined) return 0;
    if (batch.frames.length === 1) return bury(target, batch, first, refusal);
  } else if (batch.frames.length === 1) {
    return bury(target, batch, first, { code: "not_a_record", message: "not a decision record" });
  }
  return insertHalves(target, batch);
}

async function insertHalves(target: BatchTarget, batch: Batch): Promise<number> {
  const middle = Math.ceil(batch.frames.length / 2);
  const before = await insertBatch(target, { ...batch, frames: batch.frames.slice(0, middle) });
  const after = await insertBatch(target, { ...batch, frames: batch.frames.slice(middle) });
  return before + after;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

async function tryInsert(
  target: BatchTarget,
  batch: Batch,
  rows: readonly DecisionRow[],
): Promise<Refusal | undefined> {
  const decisions = rows.filter(({ kind }) => kind === "admission" || kind === "outcome");
  await target.partitions.ensureFor(decisions.map((row) => row.decision_id));
  const end = batch.frames.at(-1)?.end ?? 0;
  try {
    const parameters = [JSON.stringify(rows), batch.writer, batch.segment, end];
    await target.database.query(insertDecisions, parameters);
    return undefined;
  } catch (thrown) {
    const code = codeOf(thrown) ?? "";
    if (!isRefusal(code)) throw thrown;
    return { code, message: messageOf(thrown) };
  }
}

/**
 * SQLSTATE classes that speak of the rows: 22 data exception, 23 integrity constraint, and 54
 * program limit exceeded. Everything else may pass.
 */
function isRefusal(code: string): boolean {
  return /^(?:22|23|54)[0-9A-Z]{3}$/.test(code);
}

async function bury(
  target: BatchTarget,
  batch: Batch,
  frame: Frame,
  refusal: Refusal,
): Promise<number> {
  const { writer, segment } = batch;
  await target.database.query(insertDeadLetter, [
    writer,
    segment,
    frame.offset,
    frame.end,
    refusal.code,
    refusal.message.replaceAll("\0", ""),
    frame.payload.toString("base64"),
  ]);
  const found = { writer, segment, offset: frame.offset, code: refusal.code };
  target.log.error(found, "decision record refused by the store, kept as a dead letter");
  return 1;
}
