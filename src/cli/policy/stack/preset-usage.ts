/**
 * Counters as a case states them. The gateway's own accounting reads and compares; this store only
 * says how much is used already, and forgets what it is asked to take.
 */
import type { CountedLayer } from "../../../gateway/usage/counted-layers.ts";
import { parseCounterKey } from "../../../policy/usage/counter-key.ts";
import type { Charge, CounterReading, UsageStore } from "../../../policy/usage/usage-store.ts";
import { toMillionths } from "../../../policy/usage/usage-store.ts";

/** What is used, by layer and counter. */
export type PresetUsage = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A store in which so much is used of each counter, and nothing of those that are not named. */
export function presetStore(used: PresetUsage): UsageStore {
  return {
    reserve: async (charges) => {
      const readings = charges.map((charge) => readingOf(charge, used));
      const isAdmitted = charges.every(
        ({ amount, limit }, place) => (readings[place]?.used ?? limit) + amount <= limit,
      );
      return { isAdmitted, readings };
    },
    correct: async () => {},
    join: async ({ conversation }) => conversation,
    list: async () => [],
    grant: async () => false,
    reset: async () => false,
    close: async () => {},
  };
}

function readingOf({ key, limit }: Charge, used: PresetUsage): CounterReading {
  const name = parseCounterKey(key);
  const amount = name === undefined ? 0 : (used[name.layer]?.[name.counter] ?? 0);
  return { used: toMillionths(amount), limit, startMs: 0, resetsAtMs: undefined };
}

/** The first counter that is named and that no layer declares, `LAYER/COUNTER`. */
export function undeclaredCounter(
  used: PresetUsage,
  layers: readonly CountedLayer[],
): string | undefined {
  const declared = new Set(
    layers.flatMap(({ name, counters }) => counters.map((counter) => `${name}/${counter.name}`)),
  );
  const named = Object.entries(used).flatMap(([layer, counters]) =>
    Object.keys(counters).map((counter) => `${layer}/${counter}`),
  );
  return named.find((name) => !declared.has(name));
}
