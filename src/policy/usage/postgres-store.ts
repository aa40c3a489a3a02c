/**
 * Counters of many machines in Postgres, by its clock. One statement a round trip: what comes while
 * one is on its way goes into the next one together.
 */
import * as z from "zod/mini";
import type { Database, Row } from "../../database/database.ts";
import { messageOf } from "../../errors.ts";
import type { Charge, Correction, CounterState, Reservation, UsageStore } from "./usage-store.ts";
import { UsageError } from "./usage-store.ts";
import {
  grantAmount,
  joinConversation,
  listCounters,
  resetCounter,
  sweepConversations,
  sweepCounters,
  takeTurn,
} from "./usage-statements.ts";

interface Waiting {
  readonly charges: readonly Charge[];
  readonly corrections: readonly Correction[];
  readonly resolve: (reservation: Reservation) => void;
  readonly reject: (reason: unknown) => void;
}

const whole = z.coerce.number();
const wholeOrNull = z.nullable(whole);
const turnRow = z.object({
  request: whole,
  place: whole,
  admitted: z.boolean(),
  used: whole,
  allowed: whole,
  start_ms: whole,
  resets_ms: wholeOrNull,
});
const conversationRow = z.object({ conversation: z.string() });
const counterRow = z.object({
  key: z.string(),
  limit_amount: whole,
  used: whole,
  granted: whole,
  resets_ms: wholeOrNull,
});

/** Connects with the first request, and again after a failure; `open` migrates. */
export function openPostgresStore(open: () => Promise<Database>): UsageStore {
  const turns = new Turns(open);
  return {
    reserve: (charges) => turns.take(charges, []),
    correct: async (corrections) => void (await turns.take([], corrections)),
    join: async ({ key, conversation, silenceMs }) => {
      const [row] = await turns.query(joinConversation, [key, conversation, silenceMs]);
      return conversationRow.parse(row).conversation;
    },
    list: async (prefix) => (await turns.query(listCounters, [prefix])).map(stateOf),
    grant: async ({ key, amount, forMs }) =>
      (await turns.query(grantAmount, [key, amount, forMs ?? null])).length > 0,
    reset: async (key) => (await turns.query(resetCounter, [key])).length > 0,
    close: () => turns.close(),
  };
}

/** Sends one turn at a time. */
class Turns {
  readonly #open: () => Promise<Database>;
  #database: Promise<Database> | undefined;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(open: () => Promise<Database>) {
    this.#open = open;
  }

  take(charges: readonly Charge[], corrections: readonly Correction[]): Promise<Reservation> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ charges, corrections, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async query(text: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await (await this.#connect()).query(text, parameters);
    } catch (thrown) {
      throw away(thrown);
    }
  }

  async close(): Promise<void> {
    await this.#running;
    const database = await this.#database?.catch(() => undefined);
    await database?.close();
  }

  #connect(): Promise<Database> {
    this.#database ??= this.#openSwept();
    return this.#database;
  }

  async #openSwept(): Promise<Database> {
    try {
      const database = await this.#open();
      await database.query(sweepCounters);
      await database.query(sweepConversations);
      return database;
    } catch (thrown) {
      this.#database = undefined;
      throw thrown;
    }
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const turn = this.#waiting;
      this.#waiting = [];
      try {
        const corrections = turn.flatMap((one) => one.corrections.map(correctionJson));
        const requests = turn.map((one) => one.charges.map(chargeJson));
        const rows = await this.query(takeTurn, [
          JSON.stringify(corrections),
          JSON.stringify(requests),
        ]);
        const read = rows.map((row) => turnRow.parse(row));
        for (const [index, { resolve }] of turn.entries()) {
          resolve(reservationOf(read.filter(({ request }) => request === index + 1)));
        }
      } catch (thrown) {
        for (const { reject } of turn) reject(thrown);
      }
    }
    this.#running = undefined;
  }
}

function chargeJson({ key, amount, limit, slots, isAttempt }: Charge) {
  const { slotMs, lifeMs, originMs, keepMs } = slots;
  const times = { slot_ms: slotMs, life_ms: lifeMs, origin_ms: originMs, keep_ms: keepMs };
  return { key, amount, limit, ...times, attempt: isAttempt };
}

function correctionJson({ key, startMs, delta }: Correction) {
  return { key, start_ms: startMs, delta };
}

/** No rows: nothing was charged. */
function reservationOf(rows: readonly z.output<typeof turnRow>[]): Reservation {
  const ordered = rows.toSorted((left, right) => left.place - right.place);
  return {
    isAdmitted: ordered.every(({ admitted }) => admitted),
    readings: ordered.map((row) => ({
      used: row.used,
      limit: row.allowed,
      startMs: row.start_ms,
      resetsAtMs: row.resets_ms ?? undefined,
    })),
  };
}

function stateOf(row: Row): CounterState {
  const { key, limit_amount: limit, used, granted, resets_ms: resets } = counterRow.parse(row);
  return { key, used, limit, granted, resetsAtMs: resets ?? undefined };
}

function away(thrown: unknown): UsageError {
  return new UsageError(
    "usage_store_unavailable",
    `expected the postgres of decisions.store to keep the counters, found: ${messageOf(thrown)}; see whether it runs`,
    { cause: thrown },
  );
}
