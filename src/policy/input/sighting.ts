/**
 * What a conversation has seen, as it is written down: in the journal of one machine, and where
 * several machines share it.
 */
import { isRecord } from "../../contract/json.ts";

/** A class, a label, or a server that was called; `server` is where it came from. */
export interface Sighting {
  readonly sort: "class" | "label" | "server";
  readonly name: string;
  readonly server: string;
}

/** What one call brought, and of which conversation it was. */
export interface ConversationEntry {
  readonly id: string;
  readonly started: number;
  readonly at: number;
  readonly fresh: readonly Sighting[];
}

/** A line that cannot be read (a torn one) is skipped; what it said was never relied on. */
export function parseEntry(line: string): ConversationEntry | undefined {
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
