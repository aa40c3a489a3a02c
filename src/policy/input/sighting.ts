/**
 * What a conversation has seen and how much of it there was, as it is written down: in the journal of
 * one machine, and where several machines share it.
 */
import { isRecord } from "../../contract/json.ts";
import type { ConversationCounts } from "../../contract/vouched-conversation.ts";

/** A class, a label, or a server that was called; `server` is where it came from. */
export interface Sighting {
  readonly sort: "class" | "label" | "server";
  readonly name: string;
  readonly server: string;
}

/** What one gateway has counted of a conversation, since that began. */
export interface GatewayCounts extends ConversationCounts {
  /** The gateway; another one after each start. */
  readonly by: string;
  /** What a runtime told it: the conversation's counts are at least that. */
  readonly least: ConversationCounts;
}

/** What one call brought or one gateway counted, and of which conversation it was. */
export interface ConversationEntry {
  /** Key of a vouched conversation; left out where it is about everything of the principal. */
  readonly of?: string | undefined;
  readonly id: string;
  readonly started: number;
  readonly at: number;
  readonly fresh: readonly Sighting[];
  readonly counted?: GatewayCounts | undefined;
}

/** A line that cannot be read (a torn one) is skipped; what it said was never relied on. */
export function parseEntry(line: string): ConversationEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value)) return undefined;
    const { of, id, started, at, fresh, counted } = value;
    if (typeof id !== "string" || typeof started !== "number" || typeof at !== "number")
      return undefined;
    if (of !== undefined && typeof of !== "string") return undefined;
    const sightings = Array.isArray(fresh) ? fresh.filter(isSighting) : [];
    return { of, id, started, at, fresh: sightings, counted: readCounts(counted) };
  } catch {
    return undefined;
  }
}

/** True for what a line or a row says of one sighting. */
export function isSighting(value: unknown): value is Sighting {
  if (!isRecord(value)) return false;
  const { sort, name, server } = value;
  const isKnown = sort === "class" || sort === "label" || sort === "server";
  return isKnown && typeof name === "string" && typeof server === "string";
}

/** The same for the same thing from the same server. */
export function keyOf(sighting: Sighting): string {
  return JSON.stringify([sighting.sort, sighting.name, sighting.server]);
}

function readCounts(value: unknown): GatewayCounts | undefined {
  if (!isRecord(value) || typeof value["by"] !== "string") return undefined;
  const least = value["least"];
  return { by: value["by"], ...countsIn(value), least: countsIn(isRecord(least) ? least : {}) };
}

function countsIn({ turns, tokens }: Readonly<Record<string, unknown>>): ConversationCounts {
  return { turns: wholeNumber(turns), tokens: wholeNumber(tokens) };
}

function wholeNumber(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
