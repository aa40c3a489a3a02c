/**
 * Step 3 of a call: the facts of the conversation so far. A conversation is what a trusted runtime
 * vouches for; otherwise it is everything that one (user, agent) does until 30 minutes of silence,
 * across processes and reconnects. Neither silence nor a new conversation sheds what was seen: classes
 * and labels stay for 12 hours after the last call that brought one, and are on disk before that call
 * leaves. What a vouched conversation brings counts for everything of its principal too.
 */
import { setImmediate as giveWay } from "node:timers/promises";
import type { NewId } from "../../contract/ambient.ts";
import type { ConversationContext } from "../../contract/policy-input.ts";
import type { VouchedConversation } from "../../contract/vouched-conversation.ts";
import type { Classification } from "./classify.ts";
import { ConversationJournal } from "./conversation-journal.ts";
import { ConversationThread, memoryMs } from "./conversation-thread.ts";
import type { SharedSightings } from "./shared-sightings.ts";
import type { ConversationEntry, Sighting } from "./sighting.ts";
import { parseEntry } from "./sighting.ts";
import { UntoldCounts, tickMs } from "./untold-counts.ts";

const silenceMs = 30 * 60 * 1000;
const nothingNew = Promise.resolve();
/** So many are taken in before others have their turn. */
const manyLines = 1000;

/** One conversation, as a call sees it. */
export interface ConversationView {
  /**
   * Learns what others wrote; rejects where that cannot be known. False for a conversation that there
   * is no room to remember.
   */
  readonly refresh: (nowMs: number) => Promise<boolean>;
  /** Counts a decided request, and the facts before it as `everyone` and as its `server` see them. */
  readonly measure: (server: string, argsBytes: number, nowMs: number) => MeasuredFacts;
  /** Adds to the estimate of tokens that passed through. */
  readonly countBytes: (bytes: number) => void;
  /** Notes what a call brings; resolves once a later process would know it too. */
  readonly absorb: (server: string, brought: Classification, nowMs: number) => Promise<void>;
}

/** What is written of one conversation: its counts, and what is new. */
interface News {
  readonly thread: ConversationThread;
  readonly fresh: readonly Sighting[];
}

export interface MeasuredFacts {
  readonly everyone: ConversationContext;
  readonly own: ConversationContext;
}

export interface ConversationOptions {
  /** Where other machines write and read the same; without it there is this one alone. */
  readonly shared?: SharedSightings | undefined;
  /** Vouched ones that are remembered at once. */
  readonly maxVouched?: number | undefined;
}

/** All conversations of one principal; it owns the journal's file. */
export class Conversation implements ConversationView {
  readonly #journal: ConversationJournal;
  readonly #newId: NewId;
  readonly #shared: SharedSightings | undefined;
  readonly #maxVouched: number;
  /** Everything of the principal. */
  readonly #all: ConversationThread;
  /** By key. */
  readonly #vouched = new Map<string, ConversationThread>();
  readonly #untold: UntoldCounts;
  #telling: NodeJS.Timeout | undefined;
  /** This gateway among those that count. */
  #name: string | undefined;
  #isClosed = false;
  /** The journal was read, and nothing was measured since. */
  #isRead = false;

  constructor(folder: string, newId: NewId, { shared, maxVouched }: ConversationOptions = {}) {
    this.#journal = new ConversationJournal(folder);
    this.#newId = newId;
    this.#shared = shared;
    this.#maxVouched = maxVouched ?? 1000;
    this.#all = new ConversationThread({ of: undefined, newId, silenceMs });
    this.#untold = new UntoldCounts(this.#all);
  }

  /** The one that somebody trusted names: it sees its own part alone. */
  vouched(conversation: VouchedConversation): ConversationView {
    const { id, key, least } = conversation;
    return {
      refresh: (nowMs) => this.#refreshVouched(key, nowMs),
      measure: (server, argsBytes, nowMs) => {
        const threads = [this.#threadOf(key), this.#all] as const;
        const { everyone, own } = this.#measure(threads, { server, argsBytes, nowMs, least });
        const named = { conversation_id: id };
        return { everyone: { ...everyone, ...named }, own: { ...own, ...named } };
      },
      countBytes: (bytes) => this.#countBytes([this.#threadOf(key), this.#all], bytes),
      absorb: (...brought) => this.#absorb([this.#threadOf(key), this.#all], ...brought),
    };
  }

  async refresh(nowMs: number): Promise<boolean> {
    if (this.#shared !== undefined)
      for (const entry of await this.#shared.read(undefined)) this.#take(entry, nowMs);
    const rest = this.#takeInByTurns(nowMs);
    if (rest !== undefined) await rest;
    this.#isRead = true;
    return true;
  }

  measure(server: string, argsBytes: number, nowMs: number): MeasuredFacts {
    return this.#measure([this.#all], { server, argsBytes, nowMs });
  }

  countBytes(bytes: number): void {
    this.#countBytes([this.#all], bytes);
  }

  absorb(server: string, brought: Classification, nowMs: number): Promise<void> {
    return this.#absorb([this.#all], server, brought, nowMs);
  }

  /** Tells what is left to tell, and closes the journal. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#telling);
    await this.#tell(this.#untold.all());
    await this.#journal.close();
  }

  async #refreshVouched(key: string, nowMs: number): Promise<boolean> {
    for (const entry of (await this.#shared?.read(key)) ?? []) this.#take(entry, nowMs);
    await this.#takeInByTurns(nowMs);
    if (this.#vouched.has(key)) {
      this.#isRead = true;
      return true;
    }
    for (const [known, thread] of this.#vouched)
      if (thread.isForgotten(nowMs)) this.#vouched.delete(known);
    const elsewhere = (await this.#shared?.countVouched(nowMs - memoryMs)) ?? 0;
    if (Math.max(elsewhere, this.#vouched.size) >= this.#maxVouched) return false;
    this.#threadOf(key);
    return true;
  }

  #threadOf(key: string): ConversationThread {
    const known = this.#vouched.get(key);
    if (known !== undefined) return known;
    const thread = new ConversationThread({ of: key, newId: () => key, silenceMs: memoryMs });
    this.#vouched.set(key, thread);
    return thread;
  }

  /** The first of the threads is the one whose facts are wanted. */
  #measure(
    threads: readonly [ConversationThread, ...ConversationThread[]],
    asked: {
      readonly server: string;
      readonly argsBytes: number;
      readonly nowMs: number;
      readonly least?: VouchedConversation["least"];
    },
  ): MeasuredFacts {
    const { server, argsBytes, nowMs, least } = asked;
    if (!this.#isRead) this.#takeIn(nowMs);
    this.#isRead = false;
    for (const thread of threads) {
      thread.goOn(nowMs);
      if (least !== undefined) thread.raise(least);
    }
    const [thread] = threads;
    const facts = { everyone: thread.facts(nowMs), own: thread.facts(nowMs, server) };
    for (const one of threads) one.count(argsBytes, nowMs);
    this.#tellLater(threads);
    return facts;
  }

  #countBytes(threads: readonly ConversationThread[], bytes: number): void {
    for (const thread of threads) thread.countBytes(bytes);
    this.#tellLater(threads);
  }

  #absorb(
    threads: readonly ConversationThread[],
    server: string,
    brought: Classification,
    nowMs: number,
  ): Promise<void> {
    const sightings: readonly Sighting[] = [
      ...brought.dataClasses.map((name) => ({ sort: "class", name, server }) as const),
      ...brought.labels.map((name) => ({ sort: "label", name, server }) as const),
      { sort: "server", name: server, server },
    ];
    const news = threads
      .map((thread) => ({ thread, fresh: thread.freshOf(sightings, nowMs) }))
      .filter(({ fresh }) => fresh.length > 0);
    return news.length === 0 ? nothingNew : this.#note(news, nowMs);
  }

  async #note(news: readonly News[], nowMs: number): Promise<void> {
    await this.#write(news, "durable", nowMs);
    for (const { thread, fresh } of news) thread.see(fresh, nowMs);
  }

  /** Others first: what is in the own journal counts as written everywhere. */
  async #write(news: readonly News[], durability: "durable" | "soon", atMs?: number) {
    const entries = news.map(({ thread, fresh }) => thread.entry(fresh, this.#by(), atMs));
    for (const { thread } of news) this.#untold.delete(thread);
    try {
      await this.#shared?.write(entries);
      await this.#journal.append(entries, Math.max(...entries.map(({ at }) => at)), durability);
    } catch (thrown) {
      this.#tellLater(news.map(({ thread }) => thread));
      throw thrown;
    }
  }

  /** Learns what other processes of the same principal wrote since the last `refresh`. */
  #takeIn(nowMs: number): void {
    for (const lines of this.#journal.readNew(nowMs)) this.#takeLines(lines, nowMs);
  }

  /**
   * Learns all that there is, which may be a long day's: then it lets others work meanwhile, and what
   * comes back resolves at the end. Most times there is little, and nothing to wait for.
   */
  #takeInByTurns(nowMs: number): Promise<void> | undefined {
    const pieces = this.#journal.readNew(nowMs);
    let taken = 0;
    for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) {
      this.#takeLines(piece.value, nowMs);
      taken += piece.value.length;
      if (taken >= manyLines) return this.#takeRest(pieces, nowMs);
    }
    return undefined;
  }

  async #takeRest(pieces: Iterable<readonly string[]>, nowMs: number): Promise<void> {
    await giveWay();
    let taken = 0;
    for (const lines of pieces) {
      this.#takeLines(lines, nowMs);
      taken += lines.length;
      if (taken < manyLines) continue;
      await giveWay();
      taken = 0;
    }
  }

  #takeLines(lines: readonly string[], nowMs: number): void {
    for (const line of lines) {
      const entry = parseEntry(line);
      if (entry !== undefined) this.#take(entry, nowMs);
    }
  }

  #take(entry: ConversationEntry, nowMs: number): void {
    const { of, counted } = entry;
    const thread = of === undefined ? this.#all : this.#threadOf(of);
    thread.take(counted?.by === this.#name ? { ...entry, counted: undefined } : entry, nowMs);
  }

  #by(): string {
    return (this.#name ??= this.#newId());
  }

  /** No call waits for it; what was counted since the last time is lost with the process. */
  #tellLater(threads: readonly ConversationThread[]): void {
    for (const thread of threads) if (thread.hasBegun) this.#untold.add(thread);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isClosed || this.#untold.isEmpty) return;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      void this.#tell(this.#untold.next());
      this.#schedule();
    }, tickMs).unref();
  }

  async #tell(threads: readonly ConversationThread[]): Promise<void> {
    if (threads.length === 0) return;
    const news = threads.map((thread) => ({ thread, fresh: [] }));
    // What could not be told waits for its next turn.
    await this.#write(news, "soon").catch(() => {});
  }
}
