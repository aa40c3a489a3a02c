/**
 * Tells other processes how far a living writer's spool is committed. The mark is written after each
 * commit and never synced: it lives as long as the page cache, and so does the writer. Of a dead
 * writer every intact frame counts, and nobody looks at the mark.
 */
import { crc32 } from "node:zlib";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";
import type { SpoolFile } from "./file-system.ts";

export const committedMarkName = "committed";
const markBytes = 16;
const maxAttempts = 100;
const tornPauseMs = 10;

/** A place in a writer's spool: everything before it counts. */
export interface SpoolPosition {
  readonly segment: number;
  readonly offset: number;
}

/** Where reading a spool begins. */
export const spoolStart: SpoolPosition = { segment: 0, offset: 0 };

/** Writes the mark in place. */
export function writeCommittedMark(file: SpoolFile, position: SpoolPosition): void {
  const bytes = Buffer.allocUnsafe(markBytes);
  bytes.writeUInt32BE(position.segment, 0);
  bytes.writeBigUInt64BE(BigInt(position.offset), 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12);
  file.write(bytes, 0);
}

/**
 * Reads the mark of a living writer; nothing is committed where there is none yet. A mark that is being
 * written is read again: a writer may be interrupted in the middle for as long as the machine is busy.
 *
 * @throws DecisionError `spool_unusable` where it cannot be read
 */
export async function readCommittedMark(folder: string): Promise<SpoolPosition> {
  const path = join(folder, committedMarkName);
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (attempt > 0) await sleep(tornPauseMs);
    const bytes = await readMark(path);
    if (bytes.length < markBytes) return spoolStart;
    if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32BE(12)) continue;
    return { segment: bytes.readUInt32BE(0), offset: Number(bytes.readBigUInt64BE(4)) };
  }
  const message = `expected a whole mark in ${path}, found a torn one; try again`;
  throw new DecisionError("spool_unusable", message);
}

async function readMark(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return Buffer.alloc(0);
    const message = `expected to read ${path}, found: ${messageOf(cause)}`;
    throw new DecisionError("spool_unusable", message, { cause });
  }
}

/** Negative, zero or positive, like a sort function. */
export function comparePositions(left: SpoolPosition, right: SpoolPosition): number {
  return left.segment - right.segment || left.offset - right.offset;
}
