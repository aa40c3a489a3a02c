/**
 * Step 3 of a call: the facts of the conversation so far. A conversation is everything that one
 * (user, agent) does until 30 minutes of silence, across processes and reconnects. Neither silence
 * nor a new conversation sheds what was seen: classes and labels stay for 12 hours after the last
 * call that brought one, and are on disk before that call leaves.
 */
import type { NewId } from "../../contract/ambient.ts";
import type { ConversationContext } from "../../contract/policy-input.ts";
import type { Classification } from "./classify.ts";
import { ConversationJournal } from "./conversation-journal.ts";
import type { SharedSightings } from "./shared-sightings.ts";
import type { ConversationEntry, Sighting } from "./sighting.ts";
import { keyOf, parseEntry } from "./sighting.ts";

const silenceMs = 30 * 60 * 1000;
const memoryMs = 12 * 60 * 60 * 1000;
/** A class that is seen again is written again at most this often. */
const refreshMs = 60 * 1000;
const bytesPerToken = 4;

/** One principal's conversation; it owns the journal's file. */
export class Conversation {
  readonly #journal: ConversationJournal;
  readonly #newId: NewId;
  readonly #shared: SharedSightings | undefined;
  /** When each sighting was last written, by its key. */
  readonly #seen = new Map<string, Sighting & { readonly atMs: number }>();
  #id = "";
  #startedMs = 0;
  #lastMs = 0;
  #turns = 0;
  #tokens = 0;

  /** `shared`: where other machines write and read the same; without it there is this one alone. */
  constructor(folder: string, newId: NewId, shared?: SharedSightings) {
    this.#journal = new ConversationJournal(folder);
    this.#newId = newId;
    this.#shared = shared;
  }

  /** Learns what other machines wrote; rejects where that cannot be known. */
  async refresh(nowMs: number): Promise<void> {
    for (const entry of (await this.#shared?.read()) ?? []) this.#take(entry, nowMs);
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
    const entry: ConversationEntry = { id: this.#id, started: this.#startedMs, at: nowMs, fresh };
    // Others first: what is in the own journal counts as written everywhere.
    await this.#shared?.write(entry);
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
      if (entry !== undefined) this.#take(entry, nowMs);
    }
  }

  #take(entry: ConversationEntry, nowMs: number): void {
    for (const sighting of entry.fresh) this.#see(sighting, entry.at);
    this.#join(entry, nowMs);
  }

  /** Joins the current conversation of another process; the one that began first gives the id. */
  #join(entry: ConversationEntry, nowMs: number): void {
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
    const classes = this.#sources("class", nowMs, server);
    const labels = this.#sources("label", nowMs, server);
    return {
      conversation_id: this.#id,
      turn_count: this.#turns,
      cumulative_tokens: this.#tokens,
      session_age_seconds: Math.max(0, Math.floor((nowMs - this.#startedMs) / 1000)),
      data_classes_seen: [...classes.keys()],
      labels_seen: [...labels.keys()],
      data_class_sources: Object.fromEntries(classes),
      label_sources: Object.fromEntries(labels),
      servers_called: [...this.#sources("server", nowMs, server).keys()],
    };
  }

  /** Servers by what they brought, both sorted. */
  #sources(
    sort: Sighting["sort"],
    nowMs: number,
    server: string | undefined,
  ): ReadonlyMap<string, readonly string[]> {
    const sources = new Map<string, string[]>();
    for (const sighting of this.#seen.values()) {
      const isWanted =
        sighting.sort === sort && (server === undefined || sighting.server === server);
      if (!isWanted || nowMs - sighting.atMs > memoryMs) continue;
      sources.set(
        sighting.name,
        [...(sources.get(sighting.name) ?? []), sighting.server].toSorted(),
      );
    }
    return new Map([...sources].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}
