/**
 * Prunes the decision record wherever it is: Postgres, or the embedded store, where the spool is the
 * record and the database its index. There the index is pruned and made durable before a segment that
 * only it knows the headers of is removed.
 */
import { createPublicKey } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointsConfig, DecisionsConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { openMigrated } from "../../database/open-migrated.ts";
import { embeddedFolder, withEmbeddedLock } from "../../database/pglite.ts";
import { checkpointFolder, checkpointKey } from "../integrity/checkpoint-key.ts";
import type { Prove } from "../integrity/pruned-range.ts";
import type { CheckedCheckpoints } from "../integrity/read-checkpoints.ts";
import { readCheckpoints } from "../integrity/read-checkpoints.ts";
import { proveIn } from "../integrity/pruned-range.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { spoolFolder } from "../spool/writer-folder.ts";
import { readCursors } from "../store/cursors.ts";
import { openStore } from "../store/open-store.ts";
import { aheadOfDatabase } from "./clock-doubt.ts";
import { holdsIn, holdsOf } from "./hold-store.ts";
import type { PrunedSpool } from "./prune-spool.ts";
import { pruneSpool } from "./prune-spool.ts";
import { requireWhole } from "./require-whole.ts";
import { takeTurn } from "./prune-statements.ts";
import type { Cutoffs, PruneResult } from "./prune-store.ts";
import { pruneStore } from "./prune-store.ts";

export interface PrunePlace {
  readonly stateDir: string;
  readonly store: DecisionsConfig["store"];
  readonly checkpoints: CheckpointsConfig;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Pruning {
  readonly cutoffs: Cutoffs;
  /** Who, for the store's own list. */
  readonly by: string;
  readonly isDryRun: boolean;
  /** False leaves a gap that `audit verify` calls missing. */
  readonly isProven: boolean;
}

export interface PruneOutcome {
  readonly store: PruneResult;
  /** Of the embedded store. */
  readonly spool: PrunedSpool | undefined;
}

/**
 * Prunes, as a person asks for it.
 *
 * @throws DecisionError `checkpoint_key_unusable`, `holds_unusable`, `record_not_whole`; DatabaseError
 */
export async function pruneRecord(place: PrunePlace, pruning: Pruning): Promise<PruneOutcome> {
  const prove = pruning.isProven && !pruning.isDryRun ? await provingAt(place) : undefined;
  if (place.store.kind === "embedded") return await pruneEmbedded(place, pruning, prove);
  const database = await openMigrated(place.store.url);
  try {
    const checked = prove && provingWhole(database, place, pruning, prove);
    const options = { ...pruning, holds: holdsIn, prove: checked, log: place.log };
    return { store: await pruneStore(database, options), spool: undefined };
  } finally {
    await database.close();
  }
}

/** What became of a turn. */
export type PrunedTurn =
  | { readonly kind: "pruned"; readonly outcome: PruneOutcome }
  /** Somebody else has done it today. */
  | { readonly kind: "not_due" }
  /** The database tells another time: nothing was removed. */
  | { readonly kind: "in_doubt"; readonly aheadMs: number };

/**
 * Prunes where it is due, as a gateway does by itself: Postgres where nobody has today, and of an
 * embedded spool what is past the headers' retention, for which no index has to be asked.
 */
export async function pruneInTurn(
  place: PrunePlace,
  pruning: Omit<Pruning, "isDryRun"> & { readonly nowMs: number },
): Promise<PrunedTurn> {
  const { store, stateDir, clock, log } = place;
  if (store.kind === "embedded") {
    const prove = await provingAt(place);
    const cutoffs = { ...pruning.cutoffs, payloadBeforeMs: undefined };
    const spool = spoolFolder(stateDir, store.kind);
    const stated = await statedAt(place);
    const about = { spool, cutoffs, indexed: undefined, prove, stated };
    const options = { ...about, isDryRun: false, clock, log };
    const pruned = await withEmbeddedLock(stateDir, { clock }, async () =>
      pruneSpool({ ...options, holds: await holdsOf(stateDir) }),
    );
    const untouched = { payloads: 0, headers: 0, notes: 0, held: 0, busy: [] };
    return { kind: "pruned", outcome: { store: untouched, spool: pruned } };
  }
  const database = await openMigrated(store.url);
  try {
    const aheadMs = await aheadOfDatabase(database, pruning.nowMs);
    if (aheadMs !== undefined) return { kind: "in_doubt", aheadMs };
    if ((await database.query(takeTurn)).length === 0) return { kind: "not_due" };
  } finally {
    await database.close();
  }
  return { kind: "pruned", outcome: await pruneRecord(place, { ...pruning, isDryRun: false }) };
}

async function provingAt({ stateDir, checkpoints, clock }: PrunePlace): Promise<Prove> {
  const key = await checkpointKey(stateDir, checkpoints);
  return proveIn(checkpointFolder(stateDir, checkpoints), key, clock.nowMs);
}

/** States what goes once it was looked at, over a connection that sees it until it is gone. */
function provingWhole(
  database: Database,
  place: PrunePlace,
  { cutoffs: { headerBeforeMs = 0 } }: Pruning,
  prove: Prove,
): Prove {
  return async (removed) => {
    const stated = await statedAt(place);
    await requireWhole(database, removed, { beforeMs: headerBeforeMs, stated });
    await prove(removed);
  };
}

async function statedAt({
  stateDir,
  checkpoints,
}: PrunePlace): Promise<CheckedCheckpoints["statements"]> {
  const key = createPublicKey(await checkpointKey(stateDir, checkpoints));
  return (await readCheckpoints(checkpointFolder(stateDir, checkpoints), key)).statements;
}

async function pruneEmbedded(
  place: PrunePlace,
  pruning: Pruning,
  prove: Prove | undefined,
): Promise<PruneOutcome> {
  const { stateDir, clock, log } = place;
  const { store, indexed } = await pruneIndex(place, pruning);
  const stated = prove === undefined ? new Map<string, never>() : await statedAt(place);
  return await withEmbeddedLock(stateDir, { clock }, async () => {
    if (!pruning.isDryRun) await syncTree(embeddedFolder(stateDir));
    const { cutoffs, isDryRun } = pruning;
    const holds = await holdsOf(stateDir);
    const about = { spool: spoolFolder(stateDir, "embedded"), cutoffs, holds, indexed };
    return { store, spool: await pruneSpool({ ...about, prove, stated, isDryRun, clock, log }) };
  });
}

async function pruneIndex(
  place: PrunePlace,
  pruning: Pruning,
): Promise<{ store: PruneResult; indexed: ReadonlyMap<string, SpoolPosition> }> {
  const database = await openStore(place);
  try {
    const holds = (): ReturnType<typeof holdsOf> => holdsOf(place.stateDir);
    const options = { ...pruning, holds, prove: undefined, log: place.log };
    const store = await pruneStore(database, options);
    return { store, indexed: await readCursors(database) };
  } finally {
    await database.close();
  }
}

/** The embedded database syncs nothing by itself. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() && !entry.isDirectory()) continue;
    const file = await open(join(entry.parentPath, entry.name), "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
