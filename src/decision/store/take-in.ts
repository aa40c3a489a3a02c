/**
 * Brings the embedded database, an index, up to what the spool holds: every writer's records, of the
 * living ones what they have committed. The spool is the truth and stays as it is, apart from the
 * torn tail of a dead writer, which is set aside.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { DecisionError } from "../decision-error.ts";
import { readCommittedMark, spoolStart } from "../spool/committed-mark.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { recoverWriter } from "../spool/quarantine.ts";
import { segmentName } from "../spool/segment.ts";
import { isWriterAlive, listSegments, listWriters } from "../spool/writer-folder.ts";
import { readCursors } from "./cursors.ts";
import type { BatchTarget } from "./insert-batch.ts";
import { Partitions } from "./partitions.ts";
import { shipWriter } from "./ship-writer.ts";

export interface TakeIn {
  readonly spool: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes in what is new. A spool that this version cannot read is logged and left out. */
export async function takeIn(database: Database, options: TakeIn): Promise<void> {
  const { log } = options;
  const target = { database, log, partitions: new Partitions(database, log) };
  const cursors = await readCursors(database);
  for (const writer of await listWriters(options.spool)) {
    try {
      await takeInWriter(target, options, writer, cursors.get(writer) ?? spoolStart);
    } catch (thrown) {
      if (!(thrown instanceof DecisionError)) throw thrown;
      log.error({ writer, code: thrown.code, reason: thrown.message }, "spool cannot be read");
    }
  }
}

async function takeInWriter(
  target: BatchTarget,
  options: TakeIn,
  writer: string,
  from: SpoolPosition,
): Promise<void> {
  const folder = join(options.spool, writer);
  if (await isWriterAlive(folder, options.clock)) {
    const upTo = await readCommittedMark(folder);
    await shipWriter(target, { folder, writer, from, upTo });
  } else if (await hasMore(folder, from)) {
    await recoverWriter(options.spool, writer, options.log);
    await shipWriter(target, { folder, writer, from, upTo: undefined });
  }
}

/** Whether a dead writer's segments hold a byte behind the cursor. */
async function hasMore(folder: string, from: SpoolPosition): Promise<boolean> {
  const last = (await listSegments(folder)).at(-1);
  if (last === undefined || last < from.segment) return false;
  if (last > from.segment) return true;
  const { size } = await stat(join(folder, segmentName(last)));
  return size > from.offset;
}
