/**
 * The files of a usage journal. Entries are lines that are appended, each with one write, and so are
 * in one order for all processes. A file that got long is ended by an entry and followed by the next
 * one, which begins with the state that the ended one leaves; whoever comes first makes it, and all
 * would make the same. There is no lock, so nothing is left behind by a process that was killed.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, readdir, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../errors.ts";
import { journalEntry, UsageLedger } from "./usage-ledger.ts";
import type { EntryResult, JournalEntry } from "./usage-ledger.ts";

/** A file that is longer is ended. */
const endAtBytes = 1024 * 1024;
const shape = /^(\d{8})\.jsonl$/;

/** One file with everything that was read of it. */
export class JournalFile {
  readonly #folder: string;
  readonly #generation: number;
  readonly #handle: FileHandle;
  readonly ledger = new UsageLedger();
  #readTo = 0;
  /** Where the first line ends: a long beginning must not end the file at once. */
  #beginBytes = 0;

  private constructor(folder: string, generation: number, handle: FileHandle) {
    this.#folder = folder;
    this.#generation = generation;
    this.#handle = handle;
  }

  /** Opens the newest file of a folder, or makes the first. */
  static async openNewest(folder: string): Promise<JournalFile> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (;;) {
      const newest = await makeAfter(folder, 0, () => new UsageLedger().begin());
      const file = await JournalFile.#open(folder, newest);
      if (file !== undefined) return file;
    }
  }

  /** The newest file, which comes after this ended one; this one is closed. */
  async follow(): Promise<JournalFile> {
    const newest = await makeAfter(this.#folder, this.#generation, () => this.ledger.begin());
    await this.close();
    // The one before stays: others may not have read its end yet.
    const older = (await generationsOf(this.#folder)).filter((one) => one < newest - 1);
    await Promise.all(older.map((one) => rm(pathOf(this.#folder, one), { force: true })));
    const file = await JournalFile.#open(this.#folder, newest);
    return file ?? (await JournalFile.openNewest(this.#folder));
  }

  /** True where it should be ended. */
  get isLong(): boolean {
    return this.#readTo - this.#beginBytes > Math.max(endAtBytes, this.#beginBytes);
  }

  /** Appends entries with one write; they are on the disk when it resolves. */
  async append(entries: readonly JournalEntry[]): Promise<void> {
    // A line begins with a line end too, so that half a line of a crash spoils nothing but itself.
    const lines = entries.map((entry) => `\n${JSON.stringify(entry)}\n`);
    await this.#handle.appendFile(lines.join(""));
    await this.#handle.datasync();
  }

  /** Takes in what was added since, up to an end; hands each entry to `onEntry` with its result. */
  async read(onEntry: (id: string, result: EntryResult) => void): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size <= this.#readTo) return;
    const bytes = Buffer.alloc(size - this.#readTo);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, this.#readTo);
    const whole = bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1);
    if (this.#readTo === 0) this.#beginBytes = whole.indexOf(0x0a, 1) + 1;
    this.#readTo += whole.length;
    for (const line of whole.toString("utf8").split("\n")) {
      const entry = line === "" ? undefined : parseEntry(line);
      if (entry === undefined || this.ledger.isEnded) continue;
      onEntry(entry.id, this.ledger.apply(entry));
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** `undefined` where it was removed meanwhile. */
  static async #open(folder: string, generation: number): Promise<JournalFile | undefined> {
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW;
    try {
      const handle = await open(pathOf(folder, generation), flags);
      return new JournalFile(folder, generation, handle);
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return undefined;
      throw thrown;
    }
  }
}

async function generationsOf(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder);
  const found = names.flatMap((name) => shape.exec(name)?.[1] ?? []);
  return found.map(Number).toSorted((left, right) => left - right);
}

/**
 * The newest generation after one that ended, made where there is none. Others may have gone on for
 * long: the next one was then ended and removed, and must not come back with counts of old.
 */
async function makeAfter(
  folder: string,
  ended: number,
  begin: () => JournalEntry,
): Promise<number> {
  const there = (await generationsOf(folder)).at(-1) ?? 0;
  if (there > ended) return there;
  const next = ended + 1;
  const isOwn = await create(folder, next, begin());
  const newest = (await generationsOf(folder)).at(-1) ?? next;
  // Either it was made too late, or it is ended already.
  if (isOwn && newest > next) await rm(pathOf(folder, next), { force: true });
  return newest;
}

/** Complete from the moment it is there; false where somebody else's is, which is as good. */
async function create(folder: string, generation: number, begin: JournalEntry): Promise<boolean> {
  const draft = join(folder, `.${randomUUID()}.draft`);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(begin)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, pathOf(folder, generation));
    return true;
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw thrown;
    return false;
  } finally {
    await rm(draft, { force: true });
  }
}

function pathOf(folder: string, generation: number): string {
  return join(folder, `${String(generation).padStart(8, "0")}.jsonl`);
}

/** A line that cannot be read is a torn one; nobody was told that it counts. */
function parseEntry(line: string): JournalEntry | undefined {
  try {
    const parsed = journalEntry.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
