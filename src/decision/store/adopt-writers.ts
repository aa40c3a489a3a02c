/**
 * Brings the spools of dead writers into Postgres and removes them. A lock in the writer's folder
 * keeps two gateways from doing the same work; were it to fail, the rows would still arrive once.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../contract/ambient.ts";
import { acquireProcessLock } from "../../database/process-lock.ts";
import type { ProcessLock } from "../../database/process-lock.ts";
import { codeOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";
import { recoverWriter } from "../spool/quarantine.ts";
import { segmentName } from "../spool/segment.ts";
import {
  isWriterAlive,
  listSegments,
  listWriters,
  removeWriterFolder,
} from "../spool/writer-folder.ts";
import { forgetWriter, readCursor } from "./cursors.ts";
import type { BatchTarget } from "./insert-batch.ts";
import { shipWriter } from "./ship-writer.ts";
import { keepForExport, shippedBefore } from "./shipped-mark.ts";

/** Long enough for two that began at once and both gave way to sort it out. */
const lockWaitMs = 250;

export interface Adoption {
  readonly spool: string;
  /** The dead writer. */
  readonly writer: string;
  /** The export that its folder waits for, too. */
  readonly exportKey: string | undefined;
  readonly clock: Clock;
  readonly isStopped: () => boolean;
  readonly onProgress: (bytes: number, deadLetters: number) => void;
}

/** Writers in the spool whose process is gone, oldest first. */
export async function listDeadWriters(
  spool: string,
  except: string,
  clock: Clock,
): Promise<readonly string[]> {
  const dead: string[] = [];
  for (const writer of await listWriters(spool)) {
    if (writer === except) continue;
    if (!(await isWriterAlive(join(spool, writer), clock))) dead.push(writer);
  }
  return dead;
}

/** Bytes that lie in these writers' spools, of those alone that the database may not have. */
export async function countBytes(spool: string, writers: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const writer of writers) {
    const folder = join(spool, writer);
    const before = await shippedBefore(folder);
    for (const number of await listSegments(folder)) {
      if (number < before) continue;
      const found = await stat(join(folder, segmentName(number))).catch(() => undefined);
      bytes += found?.size ?? 0;
    }
  }
  return bytes;
}

/**
 * Ships one dead writer's spool and removes it. A spool that this version cannot read stays and is
 * logged, one that another gateway has removed meanwhile is done; that the database is away is
 * thrown.
 */
export async function adoptWriter(target: BatchTarget, adoption: Adoption): Promise<void> {
  const lock = join(adoption.spool, adoption.writer, "adoption");
  try {
    const attempt = await acquireProcessLock(lock, { clock: adoption.clock, waitMs: lockWaitMs });
    if (attempt.ok) await shipAndRelease(target, adoption, attempt.lock);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return;
    if (!(thrown instanceof DecisionError)) throw thrown;
    const found = { writer: adoption.writer, code: thrown.code, reason: thrown.message };
    target.log.error(found, "spool of an ended process cannot be read");
  }
}

async function shipAndRelease(
  target: BatchTarget,
  adoption: Adoption,
  lock: ProcessLock,
): Promise<void> {
  try {
    await shipAndRemove(target, adoption);
  } finally {
    await lock.release();
  }
}

async function shipAndRemove(target: BatchTarget, adoption: Adoption): Promise<void> {
  const { spool, writer } = adoption;
  const folder = join(spool, writer);
  await recoverWriter(spool, writer, target.log);
  await shipWriter(target, {
    folder,
    writer,
    from: await readCursor(target.database, writer),
    upTo: undefined,
    onProgress: (_, bytes, deadLetters) => adoption.onProgress(bytes, deadLetters),
    isStopped: adoption.isStopped,
  });
  if (adoption.isStopped() || (await keepForExport(folder, adoption.exportKey))) return;
  await removeWriterFolder(folder);
  await forgetWriter(target.database, writer);
}
