/**
 * `db dead-letters list|get|retry|drop`: records that the store refused, which are in no view.
 */
import { newId, systemClock } from "../../config/ambient.ts";
import type { GatewayConfig } from "../../config/config.ts";
import type { AdminRecord } from "../../contract/record.ts";
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
import { readWhy, requireWhy } from "../read-why.ts";
import { talkingLog } from "../talking-log.ts";
import { withDecisionLog } from "../with-decision-log.ts";

export interface LetterOptions extends DatabaseOptions {
  readonly why?: string;
}

const listMax = 10_000;
/** Ids that one record names. */
const recordedMax = 100;

/** Prints them, newest first. */
export async function listLetters(io: CliIo, options: LetterOptions): Promise<void> {
  const { config } = loadConfigFor(io, options.config);
  const letters = await withDatabase(io, config, (database) => listDeadLetters(database, listMax));
  printList(io, options.output, letters, columns);
  if (letters.length === 0 && options.output === "table") io.err("no dead letters");
}

/** Prints one with its record. */
export async function getLetter(io: CliIo, id: string, options: LetterOptions): Promise<void> {
  const { config } = loadConfigFor(io, options.config);
  const letter = await withDatabase(io, config, (database) => getDeadLetter(database, id));
  printDocument(io, options.output, letter);
}

/** Tries one again, or all; recorded, then tried. */
export async function retryLetter(
  io: CliIo,
  id: string | undefined,
  options: LetterOptions,
): Promise<void> {
  const reason = readWhy(options.why, "retrying dead letters");
  const { config } = loadConfigFor(io, options.config);
  const retried = await withDatabase(io, config, async (database) => {
    const letters =
      id === undefined
        ? await listDeadLetters(database, listMax)
        : [await getDeadLetter(database, id)];
    if (letters.length === 0) return [];
    await recordRetry(io, config, letters, reason);
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

async function recordRetry(
  io: CliIo,
  config: GatewayConfig,
  letters: readonly DeadLetter[],
  reason: string | null,
): Promise<void> {
  const ids = letters.map(({ id }) => id);
  const subject = ids.length === 1 ? `dead letter ${ids[0]}` : `${ids.length} dead letters`;
  const details = { letters: ids.length, ids: ids.slice(0, recordedMax) };
  await recordAction(io, config, { action: "retry_dead_letters", subject, reason, details });
}

/** Recorded, then dropped. */
export async function dropLetter(io: CliIo, id: string, options: LetterOptions): Promise<void> {
  const reason = requireWhy(options.why, "dropping a dead letter");
  const { config } = loadConfigFor(io, options.config);
  const stateDir = stateDirOf(io);
  const { checkpoints } = config.decisions;
  const key = await checkpointKey(stateDir, checkpoints);
  const prove = proveIn(checkpointFolder(stateDir, checkpoints), key, systemClock.nowMs);
  await withDatabase(io, config, async (database) => {
    const { code, bytes, received_at } = await getDeadLetter(database, id);
    const details = { id, code, bytes, received_at };
    const what = { action: "drop_dead_letter", subject: `dead letter ${id}`, reason, details };
    await recordAction(io, config, what);
    await dropDeadLetter(database, id, prove);
  });
  io.out(`${id} dropped`);
}

async function recordAction(
  io: CliIo,
  config: GatewayConfig,
  what: Pick<AdminRecord, "action" | "subject" | "reason" | "details">,
): Promise<void> {
  const about = { tenant: config.tenant, by: personOf(io), ...what };
  await withDecisionLog(io, { config, stateDir: stateDirOf(io) }, (log) =>
    log.note({ kind: "admin", decisionId: newId(), timeMs: systemClock.nowMs(), ...about }),
  );
}

async function withDatabase<Result>(
  io: CliIo,
  { decisions: { store } }: GatewayConfig,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
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
