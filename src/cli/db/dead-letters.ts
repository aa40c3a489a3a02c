/**
 * `db dead-letters list|get|retry|drop`: records that the store refused, which are in no view.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { Database } from "../../database/database.ts";
import { checkpointFolder, checkpointKey } from "../../decision/integrity/checkpoint-key.ts";
import { proveIn } from "../../decision/integrity/pruned-range.ts";
import type { DeadLetter, Retried } from "../../decision/store/dead-letters.ts";
import {
  dropDeadLetter,
  getDeadLetter,
  listDeadLetters,
  retryDeadLetter,
} from "../../decision/store/dead-letters.ts";
import { openStore } from "../../decision/store/open-store.ts";
import { Partitions } from "../../decision/store/partitions.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { DatabaseOptions } from "../db.ts";
import { exitCodes } from "../exit-code.ts";
import type { CliIo } from "../io.ts";
import { personOf } from "../person-of.ts";
import type { Column } from "../print.ts";
import { printDocument, printList } from "../print.ts";
import { requireWhy } from "../read-why.ts";
import { talkingLog } from "../talking-log.ts";
import { withDecisionLog } from "../with-decision-log.ts";

export interface LetterOptions extends DatabaseOptions {
  readonly why?: string;
}

const listMax = 10_000;

/** Prints them, newest first. */
export async function listLetters(io: CliIo, options: LetterOptions): Promise<void> {
  const letters = await withDatabase(io, options, (database) => listDeadLetters(database, listMax));
  printList(io, options.output, letters, columns);
  if (letters.length === 0 && options.output === "table") io.err("no dead letters");
}

/** Prints one with its record. */
export async function getLetter(io: CliIo, id: string, options: LetterOptions): Promise<void> {
  const letter = await withDatabase(io, options, (database) => getDeadLetter(database, id));
  printDocument(io, options.output, letter);
}

/** Tries one again, or all. */
export async function retryLetter(
  io: CliIo,
  id: string | undefined,
  options: LetterOptions,
): Promise<void> {
  const retried = await withDatabase(io, options, async (database) => {
    const letters = id === undefined ? await listDeadLetters(database, listMax) : [{ id }];
    const partitions = new Partitions(database, talkingLog(io));
    const outcomes: Retried[] = [];
    for (const letter of letters) {
      outcomes.push(await retryDeadLetter(database, partitions, letter.id));
    }
    return outcomes;
  });
  printList(io, options.output, retried, retriedColumns);
  if (retried.some(({ inserted }) => !inserted)) io.exit(exitCodes.unexpected);
}

/** Recorded, then dropped. */
export async function dropLetter(io: CliIo, id: string, options: LetterOptions): Promise<void> {
  const reason = requireWhy(options.why, "dropping a dead letter");
  const { config } = loadConfigFor(io, options.config);
  const stateDir = stateDirOf(io);
  const { checkpoints } = config.decisions;
  const key = await checkpointKey(stateDir, checkpoints);
  const prove = proveIn(checkpointFolder(stateDir, checkpoints), key, systemClock.nowMs);
  await withDatabase(io, options, async (database) => {
    const { code, bytes, received_at } = await getDeadLetter(database, id);
    const details = { id, code, bytes, received_at };
    const about = { tenant: config.tenant, by: personOf(io), action: "drop_dead_letter" };
    const what = { ...about, subject: `dead letter ${id}`, reason, details };
    await withDecisionLog(io, { config, stateDir }, (log) =>
      log.note({ kind: "admin", decisionId: newId(), timeMs: systemClock.nowMs(), ...what }),
    );
    await dropDeadLetter(database, id, prove);
  });
  io.out(`${id} dropped`);
}

async function withDatabase<Result>(
  io: CliIo,
  options: LetterOptions,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const { store } = loadConfigFor(io, options.config).config.decisions;
  const place = { stateDir: stateDirOf(io), clock: systemClock, log: talkingLog(io) };
  const database = await openStore({ store, ...place });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

const columns: readonly Column<DeadLetter>[] = [
  { title: "RECEIVED", cell: ({ received_at }) => received_at },
  { title: "CODE", cell: ({ code }) => code },
  { title: "BYTES", cell: ({ bytes }) => String(bytes) },
  { title: "WHAT", cell: ({ message }) => message },
  { title: "ID", cell: ({ id }) => id },
];

const retriedColumns: readonly Column<Retried>[] = [
  { title: "ID", cell: ({ id }) => id },
  { title: "NOW", cell: ({ inserted }) => (inserted ? "inserted" : "refused") },
  { title: "WHAT", cell: ({ message }) => message ?? "-" },
];
