/**
 * Reads the frames of one segment from a place on, in pieces, so that a long history is never in
 * memory at once. Damage does not end the reading: it is named, and reading goes on behind it.
 */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { DecisionError } from "../decision-error.ts";
import { readSegmentHeader, scanFrames, segmentHeaderBytes } from "./frame.ts";
import type { Scan } from "./frame.ts";

const pieceBytes = 1024 * 1024;

export interface SegmentRead extends Scan {
  /** True when nothing more can be read now. */
  readonly atEnd: boolean;
}

/**
 * Frames from `from` on, at most up to `to` where it is given. Throws `spool_unusable` for a
 * segment of a newer version, and what `open` throws.
 */
export async function readSegment(path: string, from: number, to?: number): Promise<SegmentRead> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const limit = Math.min(size, to ?? size);
    const start = from === 0 ? await skipHeader(file, path) : from;
    if (start >= limit) return { frames: [], damage: [], next: start, atEnd: true };
    return await readFrom(file, start, limit);
  } finally {
    await file.close();
  }
}

async function readFrom(file: FileHandle, start: number, limit: number): Promise<SegmentRead> {
  const pieceEnd = Math.min(limit, start + pieceBytes);
  const piece = await readRange(file, start, pieceEnd);
  const scan = scanFrames(piece, start, false);
  if (scan.frames.length > 0) return { ...scan, atEnd: scan.next >= limit };
  const rest = pieceEnd === limit ? piece : await readRange(file, start, limit);
  return { ...scanFrames(rest, start, true), atEnd: true };
}

/** Where frames begin; a damaged header is searched like any other damage. */
async function skipHeader(file: FileHandle, path: string): Promise<number> {
  switch (readSegmentHeader(await readRange(file, 0, segmentHeaderBytes))) {
    case "ok":
      return segmentHeaderBytes;
    case "empty":
    case "damaged":
      return 0;
    case "newer":
      throw new DecisionError(
        "spool_unusable",
        `expected a spool segment that this version knows at ${path}, found one of a newer mcp-gateway; upgrade this one`,
      );
  }
}

async function readRange(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
