/**
 * The checkpoints of one writer, a file of lines in the folder of all checkpoints: appended, synced,
 * and never written again.
 */
import type { KeyObject } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../errors.ts";
import { isSignedBy, readCheckpoint } from "./checkpoint.ts";
import { openToAppend } from "./open-to-append.ts";
import { readLines } from "./read-lines.ts";

const ending = ".checkpoints";
/** More than two lines, a torn one and the one before it, that name a hundred other writers each. */
const tailBytes = 64 * 1024;

/** The file of a writer; its folder is made, and both are durable with the first line. */
export class CheckpointFile {
  readonly #folder: string;
  readonly #writer: string;
  #file: FileHandle | undefined;
  #isTorn = false;

  constructor(folder: string, writer: string) {
    this.#folder = folder;
    this.#writer = writer;
  }

  /** Resolves once the line is on the disk. */
  async append(line: string): Promise<void> {
    const file = (this.#file ??= await this.#open());
    // A line that was torn stands alone, and the next one is whole.
    const text = this.#isTorn ? `\n${line}\n` : `${line}\n`;
    this.#isTorn = true;
    await file.appendFile(text);
    await file.sync();
    this.#isTorn = false;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await openToAppend(join(this.#folder, `${this.#writer}${ending}`));
    const folder = await open(this.#folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return file;
  }
}

/** Writers that have a file; none where there is no folder. */
export async function listCheckpointed(folder: string): Promise<readonly string[]> {
  return (await listFiles(folder)).map((name) => name.slice(0, -ending.length));
}

/** The whole lines of a writer's file. */
export function readCheckpointLines(folder: string, writer: string): AsyncGenerator<string> {
  return readLines(join(folder, `${writer}${ending}`));
}

/**
 * The last place that each writer of the folder has stated, at most of the newest `limit`. What the
 * key did not sign is not repeated: it would be vouched for, and take the place of what is.
 */
export async function lastPlaces(
  folder: string,
  limit: number,
  key: KeyObject,
): Promise<Readonly<Record<string, number>>> {
  const places = new Map<string, number>();
  for (const name of (await listFiles(folder)).toReversed()) {
    if (places.size >= limit) break;
    const last = readCheckpoint(await lastLine(join(folder, name)));
    if (last === undefined || !isSignedBy(last, key)) continue;
    places.set(last.statement.writer, last.statement.seq);
  }
  return Object.fromEntries([...places].toReversed());
}

/** The last whole line; "" where there is none. Files of gateways that run for long are large. */
async function lastLine(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    const position = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(tailBytes), position });
    return buffer.toString("utf8", 0, bytesRead).split("\n").at(-2) ?? "";
  } finally {
    await file.close();
  }
}

/** Regular ones: whoever can make a folder or a pipe there stops nobody. */
async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
      .map(({ name }) => name)
      .toSorted();
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}
