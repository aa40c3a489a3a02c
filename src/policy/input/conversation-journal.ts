/**
 * The durable memory of one principal's conversation: an append-only file a day. Several gateways of
 * one machine append to the same file and read what the others wrote, without locks: what is appended
 * together is one write. It promises that it is on disk when `append` resolves, unless that was not
 * asked for, and forgets whole days. It is read in pieces, so that a long day costs time and no memory.
 */
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

const dayMs = 24 * 60 * 60 * 1000;
/** As much as is read at once, and longer than any line. */
const pieceBytes = 256 * 1024;

/** One principal's journal in its own folder. */
export class ConversationJournal {
  readonly #folder: string;
  readonly #readTo = new Map<string, number>();
  #file: { readonly name: string; readonly handle: FileHandle } | undefined;
  #tail: Promise<void> = Promise.resolve();
  /** Days to come, which a clock that went back leaves behind. */
  #ahead: readonly string[] | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Appends JSON documents; resolves once they are on the disk, or `soon` will be. */
  append(
    entries: readonly object[],
    nowMs: number,
    durability: "durable" | "soon" = "durable",
  ): Promise<void> {
    // A line begins with a line end too, so that half a line of a crash spoils nothing but itself.
    const lines = entries.map((entry) => `\n${JSON.stringify(entry)}\n`);
    if (lines.some((line) => Buffer.byteLength(line) > pieceBytes))
      return Promise.reject(new Error(`expected what is noted to have up to ${pieceBytes} bytes`));
    const written = this.#tail.then(() => this.#write(lines.join(""), nowMs, durability));
    this.#tail = written.catch(() => {});
    return written;
  }

  /**
   * Lines that were added since the last call, by anyone, of today, yesterday and the days to come that
   * there were at first, piece by piece. Whoever takes a piece has to take it in before anything else
   * happens; between two pieces others may read on.
   */
  *readNew(nowMs: number): Generator<readonly string[], void, undefined> {
    this.#ahead ??= this.#namesFrom(dayName(nowMs));
    for (const name of new Set([dayName(nowMs - dayMs), dayName(nowMs), ...this.#ahead])) {
      let piece = this.#readPiece(name);
      while (piece !== undefined) {
        yield piece;
        piece = this.#readPiece(name);
      }
    }
  }

  /** Waits for what is being written and closes the file. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  async #write(lines: string, nowMs: number, durability: "durable" | "soon"): Promise<void> {
    const { handle } = await this.#open(dayName(nowMs));
    await handle.appendFile(lines);
    if (durability === "durable") await handle.datasync();
  }

  async #open(name: string): Promise<{ readonly name: string; readonly handle: FileHandle }> {
    if (this.#file?.name === name) return this.#file;
    await this.#file?.handle.close();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#file = { name, handle: await open(join(this.#folder, name), "a", 0o600) };
    await this.#syncFolder();
    await this.#forgetBefore(name);
    return this.#file;
  }

  /** Makes the new file's name durable; folders cannot be synced on Windows. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, "r").catch(() => undefined);
    await folder?.sync().catch(() => {});
    await folder?.close();
  }

  async #forgetBefore(today: string): Promise<void> {
    const yesterday = dayName(Date.parse(`${today.slice(0, 10)}T00:00:00Z`) - dayMs);
    const old = (await readdir(this.#folder)).filter((name) => name < yesterday);
    await Promise.all(old.map((name) => rm(join(this.#folder, name), { force: true })));
  }

  #namesFrom(today: string): readonly string[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder).filter((name) => name > today);
  }

  /** The lines of the next piece; nothing where none has ended since. */
  #readPiece(name: string): readonly string[] | undefined {
    const path = join(this.#folder, name);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const from = this.#readTo.get(name) ?? 0;
    if (size <= from) return undefined;
    const bytes = readRange(path, from, Math.min(size, from + pieceBytes));
    const end = bytes.lastIndexOf(0x0a) + 1;
    // No line of ours is that long.
    const taken = end === 0 && bytes.length === pieceBytes ? pieceBytes : end;
    if (taken === 0) return undefined;
    this.#readTo.set(name, from + taken);
    return bytes.toString("utf8", 0, end).split("\n").filter(Boolean);
  }
}

function readRange(path: string, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  const file = openSync(path, "r");
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}

const dayNames = new Map<number, string>();

function dayName(timeMs: number): string {
  const day = Math.floor(timeMs / dayMs);
  const known = dayNames.get(day);
  if (known !== undefined) return known;
  const name = `${new Date(timeMs).toISOString().slice(0, 10)}.jsonl`;
  if (dayNames.size > 8) dayNames.clear();
  dayNames.set(day, name);
  return name;
}
