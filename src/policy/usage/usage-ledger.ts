/**
 * The counters of a journal as its entries make them. Whoever reads the same entries in the same
 * order comes to the same amounts and the same verdicts: that is what makes processes agree without
 * a lock. Time comes from the entries; no clock is read here.
 */
import * as z from "zod/mini";
import { isLive, slotStart } from "./slots.ts";
import { laterMark } from "./journal-time.ts";
import type { TimeMark } from "./journal-time.ts";
import type {
  Charge,
  CounterReading,
  CounterState,
  Joining,
  Reservation,
  Slots,
} from "./usage-store.ts";

const number = z.number();
const slots = z.object({ slotMs: number, lifeMs: number, originMs: number, keepMs: number });
const charge = z.object({
  key: z.string(),
  amount: number,
  limit: number,
  slots,
  isAttempt: z.boolean(),
});
const pairs = z.array(z.tuple([number, number]));
const counter = z.object({
  key: z.string(),
  slots,
  limit: number,
  usedAtMs: number,
  amounts: pairs,
  grants: pairs,
});
const joined = { key: z.string(), conversation: z.string(), silenceMs: number };
const mark = { id: z.string(), atMs: number, upMs: number, boot: z.string() };

/** One line of a journal. */
export const journalEntry = z.discriminatedUnion("op", [
  z.object({ ...mark, op: z.literal("reserve"), charges: z.array(charge) }),
  z.object({
    ...mark,
    op: z.literal("correct"),
    corrections: z.array(z.object({ key: z.string(), startMs: number, delta: number })),
  }),
  z.object({
    ...mark,
    op: z.literal("grant"),
    key: z.string(),
    amount: number,
    forMs: z.optional(number),
  }),
  z.object({ ...mark, op: z.literal("reset"), key: z.string() }),
  z.object({ ...mark, ...joined, op: z.literal("join") }),
  /** Nothing after it counts; the next file begins with what it leaves. */
  z.object({ ...mark, op: z.literal("end") }),
  /** The first line of a file. */
  z.object({
    ...mark,
    op: z.literal("begin"),
    counters: z.array(counter),
    conversations: z.optional(z.array(z.object({ ...joined, joinedMs: number }))),
  }),
]);
export type JournalEntry = z.infer<typeof journalEntry>;

interface Counter {
  readonly slots: Slots;
  readonly limit: number;
  readonly usedAtMs: number;
  /** By start of the slot. */
  readonly amounts: Map<number, number>;
  /** By their end; 0: none. */
  readonly grants: Map<number, number>;
}

/** A conversation and when somebody last joined it. */
interface Joined extends Joining {
  readonly joinedMs: number;
}

/** What an entry came to. */
export type EntryResult = Reservation | boolean | string | undefined;

export class UsageLedger {
  readonly #counters = new Map<string, Counter>();
  /** By principal. */
  readonly #conversations = new Map<string, Joined>();
  #mark: TimeMark | undefined;
  #isEnded = false;

  /** The newest time of any entry. */
  get mark(): TimeMark | undefined {
    return this.#mark;
  }

  /** True once the journal's file has been ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Takes the next entry in; not after the end. */
  apply(entry: JournalEntry): EntryResult {
    this.#mark = laterMark(this.#mark, entry);
    const nowMs = this.#mark.atMs;
    switch (entry.op) {
      case "reserve":
        return this.#reserve(entry.charges, nowMs);
      case "correct":
        for (const { key, startMs, delta } of entry.corrections) {
          this.#add(key, startMs, delta, nowMs);
        }
        return undefined;
      case "grant":
        return this.#grant(entry, nowMs);
      case "reset":
        return this.#reset(entry.key);
      case "join":
        return this.#join(entry, nowMs);
      case "begin":
        for (const { key, amounts, grants, ...rest } of entry.counters) {
          this.#counters.set(key, { ...rest, amounts: new Map(amounts), grants: new Map(grants) });
        }
        for (const one of entry.conversations ?? []) this.#conversations.set(one.key, one);
        return undefined;
      case "end":
        this.#isEnded = true;
        return undefined;
    }
  }

  /** The first line of the next file; the same for whoever read the same entries. */
  begin(): Extract<JournalEntry, { readonly op: "begin" }> {
    const { atMs = 0, upMs = 0, boot = "" } = this.#mark ?? {};
    const kept = [...this.#counters].filter(([, counter]) => isKept(counter, atMs));
    const counters = kept.map(([key, { amounts, grants, ...rest }]) => ({
      key,
      ...rest,
      amounts: [...amounts].filter(([start]) => isLive(rest.slots, start, atMs)),
      grants: [...grants].filter(([untilMs]) => untilMs === 0 || untilMs > atMs),
    }));
    const conversations = [...this.#conversations.values()].filter((one) => isUnderWay(one, atMs));
    return { op: "begin", id: "", atMs, upMs, boot, counters, conversations };
  }

  /** The counters whose key begins so, at a time. */
  list(prefix: string, nowMs: number): readonly CounterState[] {
    const found = [...this.#counters].filter(([key]) => key.startsWith(prefix));
    return found
      .filter(([, counter]) => isKept(counter, nowMs))
      .map(([key, counter]) => {
        const { used, resetsAtMs } = usedOf(counter, nowMs);
        const granted = grantedOf(counter, nowMs);
        return { key, used, limit: counter.limit, granted, resetsAtMs };
      })
      .toSorted((left, right) => (left.key < right.key ? -1 : 1));
  }

  #reserve(charges: readonly Charge[], nowMs: number): Reservation {
    const readings = charges.map((charge) => this.#read(charge, nowMs));
    const isAdmitted = charges.every((charge, place) => fits(charge, readings[place]));
    for (const [place, charge] of charges.entries()) {
      const { startMs = 0 } = readings[place] ?? {};
      if (isAdmitted || charge.isAttempt) this.#add(charge.key, startMs, charge.amount, nowMs);
    }
    return { isAdmitted, readings };
  }

  #read({ key, limit, slots }: Charge, nowMs: number): CounterReading {
    const known = this.#counters.get(key);
    const { amounts = new Map(), grants = new Map() } = known ?? {};
    const counter: Counter = { slots, limit, usedAtMs: nowMs, amounts, grants };
    this.#counters.set(key, counter);
    const startMs = slotStart(slots, nowMs);
    const { used, resetsAtMs = startMs + slots.lifeMs } = usedOf(counter, nowMs);
    const until = slots.slotMs === 0 ? undefined : resetsAtMs;
    return { used, limit: limit + grantedOf(counter, nowMs), startMs, resetsAtMs: until };
  }

  #add(key: string, startMs: number, delta: number, nowMs: number): void {
    const counter = this.#counters.get(key);
    if (counter === undefined || !isLive(counter.slots, startMs, nowMs)) return;
    const { amounts, slots } = counter;
    amounts.set(startMs, Math.max(0, (amounts.get(startMs) ?? 0) + delta));
    for (const start of amounts.keys()) if (!isLive(slots, start, nowMs)) amounts.delete(start);
  }

  #grant(
    { key, amount, forMs }: Extract<JournalEntry, { readonly op: "grant" }>,
    nowMs: number,
  ): boolean {
    const counter = this.#counters.get(key);
    if (counter === undefined) return false;
    const untilMs = forMs === undefined ? 0 : nowMs + forMs;
    counter.grants.set(untilMs, (counter.grants.get(untilMs) ?? 0) + amount);
    return true;
  }

  #reset(key: string): boolean {
    const counter = this.#counters.get(key);
    counter?.amounts.clear();
    counter?.grants.clear();
    return counter !== undefined;
  }

  #join({ key, conversation, silenceMs }: Joining, nowMs: number): string {
    const known = this.#conversations.get(key);
    const current =
      known !== undefined && isUnderWay(known, nowMs) ? known.conversation : conversation;
    this.#conversations.set(key, { key, conversation: current, silenceMs, joinedMs: nowMs });
    return current;
  }
}

function isUnderWay({ joinedMs, silenceMs }: Joined, nowMs: number): boolean {
  return nowMs - joinedMs <= silenceMs;
}

function fits({ amount }: Charge, reading: CounterReading | undefined): boolean {
  return reading !== undefined && reading.used + amount <= reading.limit;
}

function usedOf({ slots, amounts }: Counter, nowMs: number) {
  const live = [...amounts].filter(([start, held]) => held > 0 && isLive(slots, start, nowMs));
  const used = live.reduce((sum, [, held]) => sum + held, 0);
  if (slots.slotMs === 0 || live.length === 0) return { used, resetsAtMs: undefined };
  return { used, resetsAtMs: Math.min(...live.map(([start]) => start)) + slots.lifeMs };
}

function grantedOf({ grants }: Counter, nowMs: number): number {
  const standing = [...grants].filter(([untilMs]) => untilMs === 0 || untilMs > nowMs);
  return standing.reduce((sum, [, amount]) => sum + amount, 0);
}

function isKept({ slots, usedAtMs, grants }: Counter, nowMs: number): boolean {
  if (slots.keepMs === 0 || usedAtMs + slots.keepMs > nowMs) return true;
  return [...grants.keys()].some((untilMs) => untilMs === 0 || untilMs > nowMs);
}
