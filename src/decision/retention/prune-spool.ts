/**
 * Removes closed segments of an embedded spool whose records are all older than their retention and
 * none of them held. A segment goes when it is past the headers' retention, or past the payloads' and
 * in the index, which then has the headers alone. What is removed of the chains is stated before, and
 * only where it is what was written: whoever can write the spool could otherwise have it signed.
 */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { StatedPlace } from "../integrity/checkpoint.ts";
import { SpoolRanges } from "./spool-ranges.ts";
import type { PrunedRange, Prove } from "../integrity/pruned-range.ts";
import { readMembers } from "../record-header.ts";
import { comparePositions, readCommittedMark, spoolStart } from "../spool/committed-mark.ts";
import type { SpoolPosition } from "../spool/committed-mark.ts";
import { recoverWriter } from "../spool/quarantine.ts";
import { readSegment } from "../spool/read-segment.ts";
import { segmentName, segmentNumber } from "../spool/segment.ts";
import {
  isWriterAlive,
  listSegments,
  listWriters,
  removeWriterFolder,
} from "../spool/writer-folder.ts";
import type { Hold } from "./hold.ts";
import { isHeld } from "./hold.ts";
import type { Cutoffs } from "./prune-store.ts";

export interface SpoolPruning {
  readonly spool: string;
  readonly cutoffs: Cutoffs;
  readonly holds: readonly Hold[];
  /** How far each writer is in the index; `undefined` where nobody has looked. */
  readonly indexed: ReadonlyMap<string, SpoolPosition> | undefined;
  readonly prove: Prove | undefined;
  /** What checkpoints state, by writer. */
  readonly stated: ReadonlyMap<string, readonly StatedPlace[]>;
  readonly isDryRun: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface PrunedSpool {
  readonly segments: number;
  readonly bytes: number;
  readonly records: number;
  /** Segments that stayed because a record in them is held. */
  readonly held: number;
}

/** Removes them, or says what would go. */
export async function pruneSpool(options: SpoolPruning): Promise<PrunedSpool> {
  const sum = { segments: 0, bytes: 0, records: 0, held: 0 };
  for (const writer of await listWriters(options.spool)) {
    const folder = join(options.spool, writer);
    const heldIds = new Set<unknown>();
    const ranges = new SpoolRanges(writer, options.stated.get(writer) ?? []);
    for (const segment of await closedSegments(options, writer)) {
      const found = await examine(options, { writer, segment, heldIds, ranges });
      // What comes behind it is newer.
      if (found === undefined) break;
      if (found.isHeld) {
        sum.held += 1;
        continue;
      }
      if (found.misfit !== undefined && options.prove !== undefined) {
        const about = { writer, segment, record: found.misfit };
        options.log.warn(about, "segment not pruned, since it is not what was written");
        continue;
      }
      if (!options.isDryRun) await remove(options, writer, segment, found);
      sum.segments += 1;
      sum.bytes += found.bytes;
      sum.records += found.records;
    }
    if (!options.isDryRun) await removeEmptied(folder, options.clock);
  }
  return sum;
}

/** Whether a segment was last touched before a time. */
export async function hasOlderSegments(spool: string, beforeMs: number): Promise<boolean> {
  for (const writer of await listWriters(spool)) {
    const folder = join(spool, writer);
    const [oldest] = await listSegments(folder);
    if (oldest === undefined) continue;
    const found = await stat(join(folder, segmentName(oldest))).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < beforeMs) return true;
  }
  return false;
}

/** Those that nobody appends to, and nobody has touched since the cutoff. */
async function closedSegments(
  { spool, clock, log, cutoffs }: SpoolPruning,
  writer: string,
): Promise<readonly number[]> {
  const folder = join(spool, writer);
  const newestMs = Math.max(cutoffs.payloadBeforeMs ?? 0, cutoffs.headerBeforeMs ?? 0);
  const old: number[] = [];
  for (const segment of await listSegments(folder)) {
    const { mtimeMs } = await stat(join(folder, segmentName(segment)));
    // What comes behind it is newer, whatever a file says that was copied or touched.
    if (mtimeMs >= newestMs) break;
    old.push(segment);
  }
  if (old.length === 0) return old;
  if (await isWriterAlive(folder, clock)) {
    const { segment: open } = await readCommittedMark(folder);
    return old.filter((segment) => segment < open);
  }
  await recoverWriter(spool, writer, log);
  return old;
}

interface Place {
  readonly writer: string;
  readonly segment: number;
  /** Held decisions of the segments before. */
  readonly heldIds: Set<unknown>;
  readonly ranges: SpoolRanges;
}

interface Examined {
  readonly bytes: number;
  readonly records: number;
  readonly isHeld: boolean;
  readonly ranges: readonly PrunedRange[];
  /** The first place at which something else stands than was written. */
  readonly misfit: number | undefined;
}

/** `undefined` where its time has not come. */
async function examine(
  { spool, cutoffs, holds, indexed }: SpoolPruning,
  { writer, segment, heldIds, ranges }: Place,
): Promise<Examined | undefined> {
  const path = join(spool, writer, segmentName(segment));
  const { size } = await stat(path);
  const reached = indexed?.get(writer) ?? spoolStart;
  const isIndexed = comparePositions({ segment, offset: size }, reached) <= 0;
  const payloadMs = isIndexed ? (cutoffs.payloadBeforeMs ?? 0) : 0;
  const beforeMs = Math.max(payloadMs, cutoffs.headerBeforeMs ?? 0);
  const found = { bytes: size, records: 0, isHeld: false };
  for await (const text of textsOf(path)) {
    const record = readMembers(text) ?? {};
    // A record without a time is as old as its segment.
    if (Date.parse(String(record["timestamp"])) >= beforeMs) return undefined;
    found.records += 1;
    const id = record["decision_id"];
    if (isHeld(record, holds)) heldIds.add(id);
    found.isHeld ||= heldIds.has(id);
    ranges.add(text);
  }
  return { ...found, ...ranges.take() };
}

async function* textsOf(path: string): AsyncGenerator<string> {
  let offset = 0;
  for (;;) {
    const read = await readSegment(path, offset);
    for (const { payload } of read.frames) yield payload.toString("utf8");
    offset = read.next;
    if (read.atEnd) return;
  }
}

async function remove(
  { spool, prove }: SpoolPruning,
  writer: string,
  segment: number,
  { ranges }: Examined,
): Promise<void> {
  if (ranges.length > 0) await prove?.(new Map([[writer, ranges]]));
  await unlink(join(spool, writer, segmentName(segment)));
}

/** The folder of a writer that is gone, when no segment is left. */
async function removeEmptied(folder: string, clock: Clock): Promise<void> {
  const names = await readdir(folder).catch(() => [segmentName(1)]);
  if (names.some((name) => segmentNumber(name) !== undefined)) return;
  if (!(await isWriterAlive(folder, clock))) await removeWriterFolder(folder);
}
