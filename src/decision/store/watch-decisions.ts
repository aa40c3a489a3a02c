/**
 * Says when it is worth looking into the store again. It carries nothing of a decision:
 *
 *     for await (const cause of watchDecisions(config.decisions.store, { signal })) {
 *       // ask the store for what is new since the last look
 *     }
 *
 * The first look comes at once; further ones when a gateway has brought records into Postgres
 * (`arrived`), and otherwise every `pollMs` (`interval`), because the embedded store tells nobody, a
 * pooler between us may swallow notifications, and a connection may be gone. It never throws: a store
 * that is away is for the look to find. Arrivals while the caller is busy are one. It ends with the
 * signal.
 *
 * Ids are ordered by time and not by arrival: a spool that waited for the store arrives late.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { DecisionsConfig } from "../../config/config.ts";
import { listenPostgres } from "../../database/listen.ts";
import type { Listening } from "../../database/listen.ts";
import { arrivalChannel } from "./tell-arrival.ts";

/** Why to look. */
export type LookCause = "begin" | "arrived" | "interval";

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** The longest time between two looks, in milliseconds; 1,000, and 5,000 where we are told. */
  readonly pollMs?: number;
}

const quietPollMs = 5_000;
const polledMs = 1_000;
const reconnectMs = 5_000;

/** Yields until the signal. */
export async function* watchDecisions(
  store: DecisionsConfig["store"],
  { signal, pollMs }: WatchOptions,
): AsyncGenerator<LookCause> {
  const ears = new Ears(signal);
  const listening = keepListening(store, signal, ears);
  try {
    let cause: LookCause = "begin";
    while (!signal.aborted) {
      ears.hasHeard = false;
      yield cause;
      await ears.wait(pollMs ?? (ears.isListening ? quietPollMs : polledMs));
      cause = ears.hasHeard ? "arrived" : "interval";
    }
  } finally {
    await listening.stop();
  }
}

/** What was heard, and a wait that hearing ends; it keeps the process alive. */
class Ears {
  isListening = false;
  hasHeard = false;
  readonly #signal: AbortSignal;
  #waiting: AbortController | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  hear(): void {
    this.hasHeard = true;
    this.#waiting?.abort();
  }

  async wait(ms: number): Promise<void> {
    if (this.hasHeard) return;
    this.#waiting = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#waiting.signal]);
    await delay(ms, undefined, { signal }).catch(() => undefined);
    this.#waiting = undefined;
  }
}

/** Connects, and again after a connection that ended. */
function keepListening(
  store: DecisionsConfig["store"],
  signal: AbortSignal,
  ears: Ears,
): { readonly stop: () => Promise<void> } {
  if (store.kind === "embedded") return { stop: async () => {} };
  const stopping = new AbortController();
  const ending = AbortSignal.any([signal, stopping.signal]);
  const running = listenAgain(store.url, ending, ears);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function listenAgain(url: string, ending: AbortSignal, ears: Ears): Promise<void> {
  while (!ending.aborted) {
    const listening = await listenPostgres(url, arrivalChannel, () => ears.hear()).catch(
      () => undefined,
    );
    if (listening !== undefined) await listenOnce(listening, ending, ears);
    if (ending.aborted) return;
    await delay(reconnectMs, undefined, { signal: ending, ref: false }).catch(() => undefined);
  }
}

async function listenOnce(listening: Listening, ending: AbortSignal, ears: Ears): Promise<void> {
  ears.isListening = true;
  // What came between the first look and LISTEN told nobody.
  ears.hear();
  if (!ending.aborted) await Promise.race([listening.ended, once(ending, "abort")]);
  ears.isListening = false;
  await listening.close();
}
