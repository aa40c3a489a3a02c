/**
 * Whether the decision record is what was written: every writer's chain followed from its beginning
 * to its end, against the checkpoints that are kept outside. With the embedded store the spool is the
 * record, and is what is looked at.
 */
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../contract/ambient.ts";
import type { Queryable } from "../database/database.ts";
import { ChainCheck } from "./integrity/chain-check.ts";
import type { FoundRecord, Tampering } from "./integrity/chain-check.ts";
import type { StatedPlace } from "./integrity/checkpoint.ts";
import type { PrunedRange } from "./integrity/pruned-range.ts";
import { readPruned } from "./integrity/pruned-range.ts";
import { readCheckpoints } from "./integrity/read-checkpoints.ts";
import { spooledChain } from "./spool/spooled-chain.ts";
import { listWriters } from "./spool/writer-folder.ts";
import type { ChainPlace } from "./store/stored-chain.ts";
import { storedChain, storedChainFrom, storedWriters } from "./store/stored-chain.ts";

/** Where records are, by writer. */
export interface RecordedChains {
  readonly writers: () => Promise<readonly string[]>;
  readonly chain: (writer: string) => AsyncIterable<FoundRecord>;
  /** Left out where everything has to be read anyway. */
  readonly recent?: RecentChains;
}

/** What a store can read of its chains without the rest. */
export interface RecentChains {
  readonly writers: (sinceMs: number) => Promise<readonly string[]>;
  readonly chain: (writer: string, behind: ChainPlace) => AsyncIterable<FoundRecord>;
}

export interface Verification {
  readonly writers: number;
  readonly records: number;
  readonly checkpoints: number;
  /** Records behind the last checkpoint of their writer: whole, and not vouched for yet. */
  readonly uncovered: number;
  /** Records that the store could not insert: whole, and in no view. */
  readonly dead_letters: number;
  /** Records beside which the store has no document, as where it refuses what JSON allows. */
  readonly undocumented: number;
  /** Records that were pruned, as signed statements say. */
  readonly pruned: number;
  /** Writers that no checkpoint names. */
  readonly unvouched: readonly string[];
  /** Writers that run, or were killed: what came behind the place could be cut off unseen. */
  readonly open_ended: readonly ProvenPlace[];
  /** By writer, the first place that does not fit first; empty where everything fits. */
  readonly problems: readonly Tampering[];
}

/** The last place that a checkpoint states, and when it was made. */
export interface ProvenPlace {
  readonly writer: string;
  readonly seq: number;
  /** RFC 3339. */
  readonly time: string;
}

/** The chains of an embedded spool. */
export function spoolChains(spool: string, clock: Clock): RecordedChains {
  return {
    writers: () => listWriters(spool),
    chain: (writer) => spooledChain(join(spool, writer), writer, clock),
  };
}

/** The chains of a store. */
export function storeChains(database: Queryable): RecordedChains {
  return {
    writers: () => storedWriters(database),
    chain: (writer) => storedChain(database, writer),
    recent: {
      writers: (sinceMs) => storedWriters(database, sinceMs),
      chain: (writer, behind) => storedChainFrom(database, writer, behind),
    },
  };
}

/** Follows every chain; `key` verifies the checkpoints of `folder`. */
export async function verifyRecord(
  chains: RecordedChains,
  folder: string,
  key: KeyObject,
): Promise<Verification> {
  // What is stated is read first: what comes behind it meanwhile is not vouched for yet.
  const { statements, problems } = await readCheckpoints(folder, key);
  const writers = new Set([...(await chains.writers()), ...statements.keys()]);
  const pruned = await readPruned(folder, key);
  const found: Tampering[] = [...problems, ...pruned.problems];
  const sum = { records: 0, uncovered: 0, deadLetters: 0, undocumented: 0, removed: 0 };
  for (const writer of [...writers].toSorted()) {
    const stated = statements.get(writer) ?? [];
    let check = await followChain(chains, writer, stated, pruned.ranges.get(writer));
    if (check.end().length > 0) {
      // Somebody may have pruned it meanwhile, and has then stated so before.
      const { ranges } = await readPruned(folder, key);
      const later = ranges.get(writer);
      if (later?.length !== pruned.ranges.get(writer)?.length) {
        check = await followChain(chains, writer, stated, later);
      }
    }
    found.push(...check.end());
    sum.records += check.count;
    sum.uncovered += check.uncovered;
    sum.deadLetters += check.deadLetters;
    sum.undocumented += check.undocumented;
    sum.removed += check.removed;
  }
  const checkpoints = [...statements.values()].flat().length;
  return {
    writers: writers.size,
    records: sum.records,
    checkpoints,
    uncovered: sum.uncovered,
    dead_letters: sum.deadLetters,
    undocumented: sum.undocumented,
    pruned: sum.removed,
    unvouched: [...writers].filter((writer) => !statements.has(writer)),
    open_ended: [...statements.values()].flatMap(openEnd),
    problems: found,
  };
}

/** The furthest checkpoint of a writer, unless it is its last word. */
function openEnd(stated: readonly StatedPlace[]): readonly ProvenPlace[] {
  const last = stated.toSorted((left, right) => left.seq - right.seq).at(-1);
  if (last === undefined || last.final) return [];
  const { writer, seq, time } = last;
  return [{ writer, seq, time }];
}

async function followChain(
  chains: RecordedChains,
  writer: string,
  stated: readonly StatedPlace[],
  pruned: readonly PrunedRange[] | undefined,
): Promise<ChainCheck> {
  const check = new ChainCheck(writer, stated, pruned);
  for await (const record of chains.chain(writer)) check.next(record);
  return check;
}
