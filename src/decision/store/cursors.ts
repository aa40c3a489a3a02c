/**
 * How far each writer's spool is in the store. The cursor lives in the store itself: a store that
 * was restored from a backup, or made anew, gets again what it has not.
 */
import type { Database, Queryable } from "../../database/database.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { spoolStart } from "../spool/committed-mark.ts";
import { deleteCursor, selectCursors } from "./insert-decisions.ts";

/** All cursors by writer. */
export async function readCursors(
  database: Queryable,
): Promise<ReadonlyMap<string, SpoolPosition>> {
  const rows = await database.query(selectCursors);
  return new Map(
    rows.map((row) => [
      String(row["writer"]),
      { segment: Number(row["segment"]), offset: Number(row["frame_offset"]) },
    ]),
  );
}

/** One writer's cursor. */
export async function readCursor(database: Database, writer: string): Promise<SpoolPosition> {
  return (await readCursors(database)).get(writer) ?? spoolStart;
}

/** Forgets a writer whose spool is gone. */
export async function forgetWriter(database: Database, writer: string): Promise<void> {
  await database.query(deleteCursor, [writer]);
}
