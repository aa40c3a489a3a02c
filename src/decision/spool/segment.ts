/**
 * One segment file of a spool while it is being written. Zeros are written ahead of the frames in
 * steps, so that most commits overwrite blocks the file system already knows and `fdatasync` has no
 * metadata to write. What counts is `committedBytes`: everything behind it is cut off when the
 * segment is sealed, so that bytes nobody was promised cannot come back.
 */
import { join } from "node:path";
import { encodeSegmentHeader, segmentHeaderBytes } from "./frame.ts";
import type { SpoolFile, SpoolFileSystem } from "./file-system.ts";

const aheadBytes = 256 * 1024;

/** `00000001.seg` */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.seg`;
}

/** The number in a segment's file name, `undefined` for any other file. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^(\d{8,})\.seg$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Made by `createSegment`; ended by `seal`. */
export class Segment {
  readonly number: number;
  readonly #files: SpoolFileSystem;
  readonly #folder: string;
  readonly #file: SpoolFile;
  #committedBytes = segmentHeaderBytes;
  #writtenAheadTo = segmentHeaderBytes;

  constructor(files: SpoolFileSystem, folder: string, number: number, file: SpoolFile) {
    this.#files = files;
    this.#folder = folder;
    this.#file = file;
    this.number = number;
  }

  get committedBytes(): number {
    return this.#committedBytes;
  }

  get isEmpty(): boolean {
    return this.#committedBytes === segmentHeaderBytes;
  }

  /** Appends `frames` and resolves once they are on the disk; after an error, only `seal`. */
  async commit(frames: Buffer): Promise<void> {
    const end = this.#committedBytes + frames.length;
    if (end > this.#writtenAheadTo) this.#writeAhead(end);
    this.#file.write(frames, this.#committedBytes);
    await this.#file.sync();
    this.#committedBytes = end;
  }

  /**
   * Closes the file and cuts it at the last committed byte, through a new descriptor: one that
   * failed to sync is never trusted again. An empty segment is removed.
   */
  async seal(): Promise<void> {
    const path = join(this.#folder, segmentName(this.number));
    await this.#file.close().catch(() => undefined);
    if (this.isEmpty) await this.#files.removeFile(path);
    else await this.#files.truncateFile(path, this.#committedBytes);
  }

  #writeAhead(end: number): void {
    const zeros = Buffer.alloc(aheadBytes);
    this.#file.write(zeros, end);
    this.#writtenAheadTo = end + zeros.length;
  }
}

/** Creates the segment and makes its name durable; its header is synced with the first commit. */
export async function createSegment(
  files: SpoolFileSystem,
  folder: string,
  number: number,
): Promise<Segment> {
  const path = join(folder, segmentName(number));
  const file = await files.createFile(path);
  try {
    file.write(encodeSegmentHeader(), 0);
    await files.syncFolder(folder);
  } catch (thrown) {
    await file.close().catch(() => undefined);
    await files.removeFile(path).catch(() => undefined);
    throw thrown;
  }
  return new Segment(files, folder, number, file);
}
