/**
 * The facts of one conversation in memory: what it has seen, since when it goes on, and how much of it
 * there was. What this process counts is one part of that; every other gateway's part is what it last
 * told, so that the sum is never more than there was, and lags behind what others have not told yet.
 */
import type { ConversationContext } from "../../contract/policy-input.ts";
import type { ConversationCounts } from "../../contract/vouched-conversation.ts";
import { noCounts } from "../../contract/vouched-conversation.ts";
import type { ConversationEntry, GatewayCounts, Sighting } from "./sighting.ts";
import { keyOf } from "./sighting.ts";

/** So long classes and labels stay after the last call that brought one. */
export const memoryMs = 12 * 60 * 60 * 1000;
/** A class that is seen again is written again at most this often. */
const refreshMs = 60 * 1000;
const youthMs = 60 * 1000;
const bytesPerToken = 4;

export interface ThreadOptions {
  /** Key of a vouched conversation. */
  readonly of: string | undefined;
  /** Names it when it begins. */
  readonly newId: () => string;
  /** After so long without a request it begins anew. */
  readonly silenceMs: number;
}

export class ConversationThread {
  readonly #options: ThreadOptions;
  /** When each sighting was last brought, by its key. */
  readonly #seen = new Map<string, Sighting & { readonly atMs: number }>();
  /** What other gateways counted, by the gateway, with the id that they had for it. */
  readonly #others = new Map<string, GatewayCounts & { readonly id: string }>();
  #id = "";
  #startedMs = 0;
  #lastMs = 0;
  /** When this process began to count it. */
  #countedFromMs = 0;
  #turns = 0;
  #tokens = 0;
  #least = noCounts;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  get hasBegun(): boolean {
    return this.#id !== "";
  }

  /** True while this process counts it for up to a minute. */
  get isYoung(): boolean {
    return this.#lastMs - this.#countedFromMs < youthMs;
  }

  /** True where it has ended and nothing of it is remembered any more. */
  isForgotten(nowMs: number): boolean {
    if (nowMs - this.#lastMs <= memoryMs) return false;
    return [...this.#seen.values()].every(({ atMs }) => nowMs - atMs > memoryMs);
  }

  /** A request is about to be decided: after a silence a conversation begins with it. */
  goOn(nowMs: number): void {
    if (this.#id === "" || nowMs - this.#lastMs > this.#options.silenceMs) this.#begin(nowMs);
  }

  /** Counts a decided request. */
  count(bytes: number, nowMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, nowMs);
    if (this.#turns === 0) this.#countedFromMs = this.#lastMs;
    this.#turns += 1;
    this.countBytes(bytes);
  }

  /** Adds to the estimate of tokens that passed through. */
  countBytes(bytes: number): void {
    this.#tokens += Math.ceil(bytes / bytesPerToken);
  }

  /** It is at least that much; what is less changes nothing. */
  raise(least: ConversationCounts): void {
    this.#least = greaterOf(this.#least, least);
  }

  /** Those that were not brought for a while, and have to be written. */
  freshOf(sightings: readonly Sighting[], nowMs: number): readonly Sighting[] {
    return sightings.filter((sighting) => {
      const atMs = this.#seen.get(keyOf(sighting))?.atMs;
      return atMs === undefined || nowMs - atMs >= refreshMs;
    });
  }

  see(sightings: readonly Sighting[], atMs: number): void {
    for (const sighting of sightings) {
      const key = keyOf(sighting);
      const before = this.#seen.get(key)?.atMs ?? 0;
      this.#seen.set(key, { ...sighting, atMs: Math.max(before, atMs) });
    }
  }

  /** Learns what another process wrote. */
  take(entry: ConversationEntry, nowMs: number): void {
    this.see(entry.fresh, entry.at);
    this.#join(entry, nowMs);
    const { counted, id, at } = entry;
    if (counted === undefined || nowMs - at > memoryMs) return;
    const known = this.#others.get(counted.by);
    const most = known?.id === id ? greaterOf(known, counted) : counted;
    this.#others.set(counted.by, { ...counted, ...most, id });
  }

  /** As it is written down, by this gateway. */
  entry(fresh: readonly Sighting[], by: string, atMs = this.#lastMs): ConversationEntry {
    const counted = { by, turns: this.#turns, tokens: this.#tokens, least: this.#least };
    const { of } = this.#options;
    return { of, id: this.#id, started: this.#startedMs, at: atMs, fresh, counted };
  }

  /** The facts, or the part of them that came from one server. */
  facts(nowMs: number, server?: string): ConversationContext {
    const classes = this.#sources("class", nowMs, server);
    const labels = this.#sources("label", nowMs, server);
    const { turns, tokens } = this.#counts();
    return {
      conversation_id: this.#id,
      turn_count: turns,
      cumulative_tokens: tokens,
      session_age_seconds: Math.max(0, Math.floor((nowMs - this.#startedMs) / 1000)),
      data_classes_seen: [...classes.keys()],
      labels_seen: [...labels.keys()],
      data_class_sources: Object.fromEntries(classes),
      label_sources: Object.fromEntries(labels),
      servers_called: [...this.#sources("server", nowMs, server).keys()],
    };
  }

  #begin(nowMs: number): void {
    this.#id = this.#options.newId();
    this.#startedMs = nowMs;
    this.#turns = 0;
    this.#tokens = 0;
    this.#least = noCounts;
    this.#others.clear();
  }

  /** Joins the current conversation of another process; the one that began first gives the id. */
  #join(entry: ConversationEntry, nowMs: number): void {
    if (nowMs - entry.at > this.#options.silenceMs) return;
    this.#lastMs = Math.max(this.#lastMs, entry.at);
    if (this.#id !== "" && !isEarlier(entry, { id: this.#id, started: this.#startedMs })) return;
    this.#id = entry.id;
    this.#startedMs = entry.started;
  }

  #counts(): ConversationCounts {
    let { turns, tokens } = { turns: this.#turns, tokens: this.#tokens };
    let least = this.#least;
    for (const other of this.#others.values()) {
      if (other.id !== this.#id) continue;
      turns += other.turns;
      tokens += other.tokens;
      least = greaterOf(least, other.least);
    }
    return greaterOf({ turns, tokens }, least);
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

type Beginning = Pick<ConversationEntry, "id" | "started">;

/** Everybody has to come to the same, those that began at once too. */
function isEarlier(one: Beginning, other: Beginning): boolean {
  return one.started === other.started ? one.id < other.id : one.started < other.started;
}

function greaterOf(one: ConversationCounts, other: ConversationCounts): ConversationCounts {
  return {
    turns: Math.max(one.turns, other.turns),
    tokens: Math.max(one.tokens, other.tokens),
  };
}
