/**
 * What policies, clients and the record see of counters: amounts as they were declared and sent, and
 * times as RFC 3339.
 */
import type { JsonObject } from "../../contract/json.ts";
import type { Charge, CounterReading } from "./usage-store.ts";
import { fromMillionths } from "./usage-store.ts";

/** One counter of one call. */
export interface CountedCharge {
  /** Name of the layer that declares it. */
  readonly layer: string;
  readonly counter: string;
  readonly charge: Charge;
  readonly reading: CounterReading;
}

/** `input.usage` by the layer that declares: `{used, limit, remaining, resets_at}` by counter. */
export function usageByLayer(counted: readonly CountedCharge[]): Readonly<Record<string, string>> {
  const layers = [...new Set(counted.map(({ layer }) => layer))];
  const documents = layers.map((layer) => {
    const own = counted.filter((one) => one.layer === layer);
    const members = own.map(({ counter, reading }) => [counter, documentOf(reading)]);
    return [layer, JSON.stringify(Object.fromEntries(members))] as const;
  });
  return Object.fromEntries(documents);
}

/** The counter with the smallest share of its limit left; `isTaken`: after this call took its cost. */
export function tightestOf(
  counted: readonly CountedCharge[],
  isTaken: boolean,
): { readonly remaining: number; readonly resetsAt: string | null } | undefined {
  const [tightest] = counted
    .map(({ charge, reading }) => {
      const left = leftOf(reading) - (isTaken || charge.isAttempt ? charge.amount : 0);
      const share = reading.limit === 0 ? 0 : left / reading.limit;
      return { share, left, reading };
    })
    .toSorted((one, other) => one.share - other.share);
  if (tightest === undefined) return undefined;
  return {
    remaining: fromMillionths(Math.max(0, tightest.left)),
    resetsAt: timeOf(tightest.reading.resetsAtMs),
  };
}

/** What an agent is told of the counters that this call does not fit into. */
export function exhaustedMessage(counted: readonly CountedCharge[]): string {
  const full = counted.filter(({ charge, reading }) => charge.amount > leftOf(reading));
  return full.map(sentenceOf).join("; ");
}

function sentenceOf({ layer, counter, charge, reading }: CountedCharge): string {
  const [limit, left, cost] = [reading.limit, leftOf(reading), charge.amount].map(fromMillionths);
  const until = timeOf(reading.resetsAtMs);
  const advice =
    until === null ? "only the operator can give more" : `try again after ${until}, not before`;
  return `${layer}/${counter} has ${left} of ${limit} left and this call needs ${cost}; ${advice}`;
}

function documentOf(reading: CounterReading): JsonObject {
  return {
    used: fromMillionths(reading.used),
    limit: fromMillionths(reading.limit),
    remaining: fromMillionths(leftOf(reading)),
    resets_at: timeOf(reading.resetsAtMs),
  };
}

function leftOf({ used, limit }: CounterReading): number {
  return Math.max(0, limit - used);
}

function timeOf(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}
