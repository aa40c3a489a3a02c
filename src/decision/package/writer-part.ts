/**
 * Where the part of one writer in a package begins. What was made before is left out as far as it
 * fits: whoever removed or changed something there must not have it vouched for, so the part begins
 * with that. A store that can is read from the last checkpoint before the time on, which states where
 * the chain stood; what lies before that is not looked at, nor vouched for.
 */
import type { KeyObject } from "node:crypto";
import { firstLink } from "../integrity/chain-link.ts";
import type { FoundRecord } from "../integrity/chain-check.ts";
import type { Checkpoint, CheckpointStatement } from "../integrity/checkpoint.ts";
import { isSignedBy } from "../integrity/checkpoint.ts";
import type { ChainHead } from "../integrity/envelope.ts";
import { fitsBehind } from "../integrity/fits-behind.ts";
import type { PrunedRange } from "../integrity/pruned-range.ts";
import { readMembers } from "../record-header.ts";
import { dayMs } from "../store/partitions.ts";
import { isUuid, timeOfUuid } from "../store/uuid-time.ts";
import type { RecordedChains } from "../verify-record.ts";
import type { StatedLines } from "./stated-lines.ts";

export interface WriterWish {
  readonly writer: string;
  readonly sinceMs: number;
  /** What was pruned. */
  readonly removed: readonly PrunedRange[];
  /** Of its checkpoints. */
  readonly stated: StatedLines;
  /** Verifies them. */
  readonly key: KeyObject;
}

/**
 * Hands over the records from the first one of the time on, and resolves to what was made before;
 * `undefined` where there is nothing.
 */
export async function readWriter(
  chains: RecordedChains,
  wish: WriterWish,
  take: (record: FoundRecord) => Promise<void>,
): Promise<PrunedRange | undefined> {
  const { writer, sinceMs, removed } = wish;
  const previous = firstLink(writer);
  const start = startOf(chains, wish);
  let last: ChainHead = start ?? { seq: 0, link: previous };
  const behind = { seq: last.seq, timeMs: earliestMs(writer, start) };
  const records = chains.recent?.chain(writer, behind) ?? chains.chain(writer);
  let isTaking = false;
  for await (const record of records) {
    const before = behindPruned(last, removed, record.seq);
    isTaking ||= timeOf(record) >= sinceMs || !fitsBehind(record, writer, before);
    if (isTaking) await take(record);
    else last = { seq: record.seq, link: record.link };
  }
  const { seq, link } = last;
  return seq === 0 ? undefined : { first: 1, last: seq, previous, link };
}

/** When a writer last stated its place; NaN where it never did. */
export function lastStatedMs({ stated, writer, key }: WriterWish): number {
  const { last } = stated;
  return last !== undefined && isOwn(last, writer, key)
    ? Date.parse(last.statement.time)
    : Number.NaN;
}

/** The last place that it stated before the time, where nothing was pruned across it. */
function startOf(
  { recent }: RecordedChains,
  { writer, removed, stated, key }: WriterWish,
): CheckpointStatement | undefined {
  if (recent === undefined) return undefined;
  const found = stated.before;
  if (found === undefined || !isOwn(found, writer, key)) return undefined;
  const { statement } = found;
  const isCrossed = removed.some(
    ({ first, last }) => first <= statement.seq && last > statement.seq,
  );
  return isCrossed ? undefined : statement;
}

function isOwn(found: Checkpoint, writer: string, key: KeyObject): boolean {
  return found.statement.writer === writer && isSignedBy(found, key);
}

/** A day before the place, or before the writer was there: an outcome lies in the day of its call. */
function earliestMs(writer: string, start: CheckpointStatement | undefined): number {
  const madeMs = isUuid(writer) ? timeOfUuid(writer) : 0;
  return Math.max(0, (start === undefined ? madeMs : Date.parse(start.time)) - dayMs);
}

/** Where the chain stands once what was pruned before a place is behind it. */
function behindPruned(from: ChainHead, removed: readonly PrunedRange[], before: number): ChainHead {
  let at = from;
  for (;;) {
    const { seq, link } = at;
    const range = removed.findLast(({ first, previous }) => first === seq + 1 && previous === link);
    if (range === undefined || range.last < range.first || range.last >= before) return at;
    at = { seq: range.last, link: range.link };
  }
}

/** What cannot be read is part of any time. */
function timeOf({ text, columns }: FoundRecord): number {
  const members = text === undefined ? undefined : readMembers(text);
  const time = Date.parse(String(members?.["timestamp"] ?? columns?.["recorded_at"]));
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}
