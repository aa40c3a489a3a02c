/**
 * Remembers for a short time whose token it was, by the token's digest, so that a client's next
 * request costs no signature. What an issuer takes back is noticed when the entry ends.
 */
import type { Clock } from "../../../contract/ambient.ts";
import type { Principal } from "../../../contract/principal.ts";

const maxEntryAgeMs = 60_000;
const maxEntries = 10_000;

/** Whose token it is, and when it ends by itself, in milliseconds since the epoch. */
export interface KnownToken {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

export interface TokenCache {
  readonly get: (digest: string) => KnownToken | undefined;
  readonly set: (digest: string, known: KnownToken) => void;
  readonly size: () => number;
}

interface Entry {
  readonly known: KnownToken;
  readonly cachedAtMs: number;
}

/** Makes an empty cache; the oldest entry makes room for the one beyond 10,000. */
export function createTokenCache(clock: Clock): TokenCache {
  const entries = new Map<string, Entry>();
  const isFresh = ({ known, cachedAtMs }: Entry): boolean =>
    clock.monotonicMs() - cachedAtMs < maxEntryAgeMs && clock.nowMs() < known.expiresAtMs;
  return {
    get: (digest) => {
      const entry = entries.get(digest);
      if (entry === undefined || isFresh(entry)) return entry?.known;
      entries.delete(digest);
      return undefined;
    },
    set: (digest, known) => {
      entries.delete(digest);
      entries.set(digest, { known, cachedAtMs: clock.monotonicMs() });
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    },
    size: () => entries.size,
  };
}
