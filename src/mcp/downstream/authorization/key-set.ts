/**
 * The keys of one issuer over time. They are fetched when first needed, anew in the background
 * after ten minutes, and at once for a key that is not among them, but never twice within 30
 * seconds, whatever tokens come in. While the issuer is away its last keys hold, for a day.
 */
import { errors } from "jose";
import type { CryptoKey, LocalJWKSet } from "jose";
import type { Clock, Log } from "../../../contract/ambient.ts";
import type { LoadedKeys } from "./load-keys.ts";

/** What a token's header says of its key. */
export interface KeyHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

export type FoundKey =
  | { readonly ok: true; readonly key: CryptoKey }
  | {
      readonly ok: false;
      readonly reason: "key_unknown" | "key_ambiguous" | "key_unusable" | "issuer_unavailable";
    };

export interface KeySet {
  readonly find: (header: KeyHeader) => Promise<FoundKey>;
}

export interface KeySetDeps {
  readonly load: () => Promise<LoadedKeys>;
  readonly clock: Clock;
  readonly log: Log;
}

const refreshAfterMs = 600_000;
const maxAgeMs = 86_400_000;
const cooldownMs = 30_000;
/** After how long an issuer that never answered is asked again. */
export const retryAfterSeconds = 5;

/** Makes a key set that has not fetched anything yet. */
export function createKeySet({ load, clock, log }: KeySetDeps): KeySet {
  let keys: LocalJWKSet | undefined;
  let loadedAtMs = -Infinity;
  let triedAtMs = -Infinity;
  let lastFailed = false;
  let pending: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    triedAtMs = clock.monotonicMs();
    const loaded = await load();
    lastFailed = !loaded.ok;
    if (loaded.ok) {
      keys = loaded.keys;
      loadedAtMs = clock.monotonicMs();
    } else {
      const { step, problem, status } = loaded;
      log.warn({ step, problem, status }, "keys of an issuer could not be fetched");
    }
  };
  const attempt = (): Promise<void> => {
    const intervalMs = keys === undefined ? retryAfterSeconds * 1000 : cooldownMs;
    const isTooSoon = clock.monotonicMs() - triedAtMs < intervalMs;
    if (pending === undefined && isTooSoon) return Promise.resolve();
    pending ??= refresh().finally(() => (pending = undefined));
    return pending;
  };

  return {
    find: async (header) => {
      const ageMs = clock.monotonicMs() - loadedAtMs;
      if (ageMs >= maxAgeMs) keys = undefined;
      if (keys === undefined) await attempt();
      else if (ageMs >= refreshAfterMs) void attempt();
      const found = await select(keys, header);
      if (found.ok || found.reason !== "key_unknown") return found;
      await attempt();
      return lastFailed ? unavailable : select(keys, header);
    },
  };
}

const unavailable = { ok: false, reason: "issuer_unavailable" } as const;

async function select(keys: LocalJWKSet | undefined, header: KeyHeader): Promise<FoundKey> {
  if (keys === undefined) return unavailable;
  const { alg, kid } = header;
  try {
    return { ok: true, key: await keys(kid === undefined ? { alg } : { alg, kid }) };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return { ok: false, reason: "key_unknown" };
    const isAmbiguous = error instanceof errors.JWKSMultipleMatchingKeys;
    return { ok: false, reason: isAmbiguous ? "key_ambiguous" : "key_unusable" };
  }
}
