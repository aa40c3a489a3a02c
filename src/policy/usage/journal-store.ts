/**
 * Counters of one machine: a journal in the state folder that every gateway of this user appends to.
 * A reservation is an entry; whether it is admitted follows from the entries before it, which every
 * process reads alike. Requests that come while a write runs go into the next one together.
 */
import { randomUUID } from "node:crypto";
import { uptime } from "node:os";
import type { Clock } from "../../contract/ambient.ts";
import { identifyProcess } from "../../database/process-identity.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { JournalFile } from "./journal-file.ts";
import type { ClockReading } from "./journal-time.ts";
import { nextMark } from "./journal-time.ts";
import type { EntryResult, JournalEntry } from "./usage-ledger.ts";
import { UsageError } from "./usage-store.ts";
import type { CounterState, Reservation, UsageStore } from "./usage-store.ts";

export interface JournalStoreOptions {
  /** Made where it is missing. */
  readonly folder: string;
  readonly clock: Pick<Clock, "nowMs">;
  /** Milliseconds since the machine was started; the system's by default. */
  readonly upMs?: () => number;
}

/** An entry without its time. */
type Wish = JournalEntry extends infer Entry
  ? Entry extends JournalEntry
    ? Omit<Entry, "id" | "atMs" | "upMs" | "boot">
    : never
  : never;

interface Waiting {
  readonly id: string;
  readonly wish: Wish;
  readonly resolve: (result: EntryResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** Opens the store of a machine; nothing is read before something is asked. */
export function openJournalStore(options: JournalStoreOptions): UsageStore {
  const journal = new Journal(options);
  return {
    reserve: async (charges) =>
      expectReservation(await journal.write({ op: "reserve", charges: [...charges] })),
    correct: async (corrections) => {
      await journal.write({ op: "correct", corrections: [...corrections] });
    },
    join: async (joining) => expectConversation(await journal.write({ op: "join", ...joining })),
    list: (prefix) => journal.list(prefix),
    grant: async (grant) => (await journal.write({ op: "grant", ...grant })) === true,
    reset: async (key) => (await journal.write({ op: "reset", key })) === true,
    close: () => journal.close(),
  };
}

class Journal {
  readonly #options: JournalStoreOptions;
  readonly #waiting: Waiting[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #file: JournalFile | undefined;
  #boot: string | undefined;

  constructor(options: JournalStoreOptions) {
    this.#options = options;
  }

  write(wish: Wish): Promise<EntryResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id: randomUUID(), wish, resolve, reject });
      void this.#inTurn(() => this.#writeWaiting());
    });
  }

  list(prefix: string): Promise<readonly CounterState[]> {
    return this.#inTurn(async () => {
      const file = await this.#current(() => {});
      return file.ledger.list(prefix, nextMark(file.ledger.mark, await this.#now()).atMs);
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#closeFile());
  }

  /** One at a time looks at the file. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Everything that waits; a later turn then finds nothing to do. */
  async #writeWaiting(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const batch = new Map(this.#waiting.splice(0).map((waiting) => [waiting.id, waiting]));
    try {
      await this.#commit(batch);
    } catch (thrown) {
      const reason = unusable(this.#options.folder, thrown);
      for (const { reject } of batch.values()) reject(reason);
      await this.#closeFile().catch(() => undefined);
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Writes a batch until it is in a file that had not ended before. */
  async #commit(batch: Map<string, Waiting>): Promise<void> {
    const settle = (id: string, result: EntryResult): void => {
      batch.get(id)?.resolve(result);
      batch.delete(id);
    };
    while (batch.size > 0) {
      const file = await this.#current(settle);
      const mark = nextMark(file.ledger.mark, await this.#now());
      const entries = [...batch.values()].map(({ id, wish }) => ({ ...wish, ...mark, id }));
      await file.append(file.isLong ? [...entries, { op: "end", ...mark, id: "" }] : entries);
      await file.read(settle);
      if (batch.size > 0 && !file.ledger.isEnded) throw new Error("an entry was not written whole");
    }
  }

  /** The file that entries go to now, read up to its last line. */
  async #current(settle: (id: string, result: EntryResult) => void): Promise<JournalFile> {
    let file = (this.#file ??= await JournalFile.openNewest(this.#options.folder));
    await file.read(settle);
    while (file.ledger.isEnded) {
      file = this.#file = await file.follow();
      await file.read(settle);
    }
    return file;
  }

  async #now(): Promise<ClockReading> {
    this.#boot ??= (await identifyProcess()).bootId ?? "";
    const { clock, upMs = () => uptime() * 1000 } = this.#options;
    return { nowMs: clock.nowMs(), upMs: upMs(), boot: this.#boot };
  }
}

function expectReservation(result: EntryResult): Reservation {
  if (typeof result === "object") return result;
  throw new Error("expected a reservation of the journal");
}

function expectConversation(result: EntryResult): string {
  if (typeof result === "string") return result;
  throw new Error("expected a conversation of the journal");
}

function unusable(folder: string, thrown: unknown): UsageError {
  const reason = codeOf(thrown) ?? messageOf(thrown);
  return new UsageError(
    "usage_store_unavailable",
    `expected to read and write the counters in ${folder}, found: ${reason}; repair the state folder`,
    { cause: thrown },
  );
}
