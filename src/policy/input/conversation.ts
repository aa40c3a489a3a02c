/**
 * Step 3 of a call: the facts of the conversation so far. A conversation is everything that one
 * (user, agent) does until 30 minutes of silence, across processes and reconnects. Neither silence
 * nor a new conversation sheds what was seen: classes and labels stay for 12 hours after the last
 * call that brought one, and are on disk before that call leaves.
 */
import type { NewId } from "../../contract/ambient.ts";
import { isRecord } from "../../contract/json.ts";
import type { ConversationContext } from "../../contract/policy-input.ts";
import type { Classification } from "./classify.ts";
import { ConversationJournal } from "./conversation-journal.ts";

const silenceMs = 30 * 60 * 1000;
const memoryMs = 12 * 60 * 60 * 1000;
/** A class that is seen again is written again at most this often. */
const refreshMs = 60 * 1000;
const bytesPerToken = 4;

interface Sighting {
  readonly sort: "class" | "label" | "server";
  readonly name: string;
  readonly server: string;
}

/** One principal's conversation; it owns the journal's file. */
export class Conversation {
  readonly #journal: ConversationJournal;
  readonly #newId: NewId;
  /** When each sighting was last written, by its key. */
  readonly #seen = new Map<string, Sighting & { readonly atMs: number }>();
  #id = "";
  #startedMs = 0;
  #lastMs = 0;
  #turns = 0;
  #tokens = 0;

  constructor(folder: string, newId: NewId) {
    this.#journal = new ConversationJournal(folder);
    this.#newId = newId;
  }

  /** Counts a decided request, and the facts before it as `everyone` and as its `server` see them. */
  measure(
    server: string,
    argsBytes: number,
    nowMs: number,
  ): { readonly everyone: ConversationContext; readonly own: ConversationContext } {
    this.#takeIn(nowMs);
    if (this.#id === "" || nowMs - this.#lastMs > silenceMs) this.#begin(nowMs);
    const facts = { everyone: this.#facts(nowMs), own: this.#facts(nowMs, server) };
    this.#lastMs = Math.max(this.#lastMs, nowMs);
    this.#turns += 1;
    this.countBytes(argsBytes);
    return facts;
  }

  /** Adds to the estimate of tokens that passed through. */
  countBytes(bytes: number): void {
    this.#tokens += Math.ceil(bytes / bytesPerToken);
  }

  /** Notes what a call brings; resolves once a later process would know it too. */
  async absorb(server: string, brought: Classification, nowMs: number): Promise<void> {
    const sightings: readonly Sighting[] = [
      ...brought.dataClasses.map((name) => ({ sort: "class", name, server }) as const),
      ...brought.labels.map((name) => ({ sort: "label", name, server }) as const),
      { sort: "server", name: server, server },
    ];
    const fresh = sightings.filter((sighting) => {
      const atMs = this.#seen.get(keyOf(sighting))?.atMs;
      return atMs === undefined || nowMs - atMs >= refreshMs;
    });
    if (fresh.length === 0) return;
    const entry: JournalEntry = { id: this.#id, started: this.#startedMs, at: nowMs, fresh };
    await this.#journal.append(entry, nowMs);
    for (const sighting of fresh) this.#see(sighting, nowMs);
  }

  /** Closes the journal. */
  close(): Promise<void> {
    return this.#journal.close();
  }

  #begin(nowMs: number): void {
    this.#id = this.#newId();
    this.#startedMs = nowMs;
    this.#turns = 0;
    this.#tokens = 0;
  }

  /** Learns what other processes of the same principal wrote. */
  #takeIn(nowMs: number): void {
    for (const line of this.#journal.readNew(nowMs)) {
      const entry = parseEntry(line);
      if (entry === undefined) continue;
      for (const sighting of entry.fresh) this.#see(sighting, entry.at);
      this.#join(entry, nowMs);
    }
  }

  /** Joins the current conversation of another process; the one that began first gives the id. */
  #join(entry: JournalEntry, nowMs: number): void {
    if (nowMs - entry.at > silenceMs) return;
    this.#lastMs = Math.max(this.#lastMs, entry.at);
    if (this.#id !== "" && this.#startedMs <= entry.started) return;
    this.#id = entry.id;
    this.#startedMs = entry.started;
  }

  #see(sighting: Sighting, atMs: number): void {
    const key = keyOf(sighting);
    const before = this.#seen.get(key)?.atMs ?? 0;
    this.#seen.set(key, { ...sighting, atMs: Math.max(before, atMs) });
  }

  #facts(nowMs: number, server?: string): ConversationContext {
    return {
      conversation_id: this.#id,
      turn_count: this.#turns,
      cumulative_tokens: this.#tokens,
      session_age_seconds: Math.max(0, Math.floor((nowMs - this.#startedMs) / 1000)),
      data_classes_seen: this.#names("class", nowMs, server),
      labels_seen: this.#names("label", nowMs, server),
      servers_called: this.#names("server", nowMs, server),
    };
  }

  #names(sort: Sighting["sort"], nowMs: number, server: string | undefined): readonly string[] {
    const names = new Set<string>();
    for (const sighting of this.#seen.values()) {
      const isWanted =
        sighting.sort === sort && (server === undefined || sighting.server === server);
      if (isWanted && nowMs - sighting.atMs <= memoryMs) names.add(sighting.name);
    }
    return [...names].toSorted();
  }
}

interface JournalEntry {
  readonly id: string;
  readonly started: number;
  readonly at: number;
  readonly fresh: readonly Sighting[];
}

/** A line that cannot be read (a torn one) is skipped; what it said was never relied on. */
function parseEntry(line: string): JournalEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value)) return undefined;
    const { id, started, at, fresh } = value;
    if (typeof id !== "string" || typeof started !== "number" || typeof at !== "number")
      return undefined;
    return { id, started, at, fresh: Array.isArray(fresh) ? fresh.filter(isSighting) : [] };
  } catch {
    return undefined;
  }
}

function isSighting(value: unknown): value is Sighting {
  if (!isRecord(value)) return false;
  const { sort, name, server } = value;
  const isKnown = sort === "class" || sort === "label" || sort === "server";
  return isKnown && typeof name === "string" && typeof server === "string";
}

function keyOf(sighting: Sighting): string {
  return JSON.stringify([sighting.sort, sighting.name, sighting.server]);
}
