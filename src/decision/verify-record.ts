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
import { readCheckpoints } from "./integrity/read-checkpoints.ts";
import { spooledChain } from "./spool/spooled-chain.ts";
import { listWriters } from "./spool/writer-folder.ts";
import { storedChain, storedWriters } from "./store/stored-chain.ts";

/** Where records are, by writer. */
export interface RecordedChains {
  readonly writers: () => Promise<readonly string[]>;
  readonly chain: (writer: string) => AsyncIterable<FoundRecord>;
}

export interface Verification {
  readonly writers: number;
  readonly records: number;
  readonly checkpoints: number;
  /** Records behind the last checkpoint of their writer: whole, and not vouched for yet. */
  readonly uncovered: number;
  /** Records that the store could not insert: whole, and in no view. */
  readonly dead_letters: number;
  /** Writers that no checkpoint names. */
  readonly unvouched: readonly string[];
  /** By writer, the first place that does not fit first; empty where everything fits. */
  readonly problems: readonly Tampering[];
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
  const found: Tampering[] = [...problems];
  let records = 0;
  let uncovered = 0;
  let deadLetters = 0;
  for (const writer of [...writers].toSorted()) {
    const check = new ChainCheck(writer, statements.get(writer) ?? []);
    for await (const record of chains.chain(writer)) check.next(record);
    found.push(...check.end());
    records += check.count;
    uncovered += check.uncovered;
    deadLetters += check.deadLetters;
  }
  const checkpoints = [...statements.values()].flat().length;
  return {
    writers: writers.size,
    records,
    checkpoints,
    uncovered,
    dead_letters: deadLetters,
    unvouched: [...writers].filter((writer) => !statements.has(writer)),
    problems: found,
  };
}
