/**
 * What was learnt about signing in, shared by all conversations of a process: one token for each
 * registry and scope until ten seconds before it expires, and which registries want a password.
 * Nothing of it is written anywhere.
 */
import type { Clock } from "../../contract/ambient.ts";

/** Authorization headers by what they are good for. */
export interface AuthMemory {
  readonly get: (key: string) => string | undefined;
  /** @param forMs - how long it is good for; as long as it is not refused where it is not said */
  readonly set: (key: string, header: string, forMs?: number) => void;
  /** Drops a header that was refused, wherever it stands. */
  readonly forget: (header: string) => void;
}

const marginMs = 10_000;
const maxEntries = 1000;

/** An empty memory. */
export function createAuthMemory(clock: Clock): AuthMemory {
  const entries = new Map<string, { readonly header: string; readonly untilMs: number }>();
  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry === undefined || clock.monotonicMs() < entry.untilMs) return entry?.header;
      entries.delete(key);
      return undefined;
    },
    set: (key, header, forMs = Number.POSITIVE_INFINITY) => {
      entries.delete(key);
      const [oldest] = entries.keys();
      if (entries.size >= maxEntries && oldest !== undefined) entries.delete(oldest);
      entries.set(key, { header, untilMs: clock.monotonicMs() + forMs - marginMs });
    },
    forget: (header) => {
      for (const [key, entry] of entries) if (entry.header === header) entries.delete(key);
    },
  };
}

/** The same memory, in which nobody finds what was learnt under another name. */
export function memoryOf(memory: AuthMemory, name: string): AuthMemory {
  return {
    get: (key) => memory.get(`${name} ${key}`),
    set: (key, header, forMs) => {
      memory.set(`${name} ${key}`, header, forMs);
    },
    forget: memory.forget,
  };
}
