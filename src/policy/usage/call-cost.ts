/**
 * What one call costs, in millionths: before it is made, and once it is known what passed.
 */
import type { CounterCost } from "../../contract/counter.ts";
import { maxAmount } from "../../contract/counter.ts";
import { isRecord } from "../../contract/json.ts";
import { toMillionths } from "./usage-store.ts";

const bytesPerToken = 4;

/** What is known of a call before it is decided. */
export interface SentCall {
  readonly bytes: number;
  /** As sent; JSON text. */
  readonly argumentsJson: string;
}

/** The cost of a call that is still to be made; `undefined` where its arguments do not say it. */
export function costBefore(cost: CounterCost, sent: SentCall): number | undefined {
  switch (cost.type) {
    case "calls":
    case "attempts":
      return toMillionths(1);
    case "bytes":
    case "tokens":
      return Math.max(toMillionths(cost.reserve), sizeOf(cost.type, sent.bytes));
    case "argument": {
      const found = valueAt(JSON.parse(sent.argumentsJson), cost.pointer) ?? cost.fallback;
      const isAmount = typeof found === "number" && found >= 0 && found <= maxAmount;
      return isAmount ? toMillionths(found) : undefined;
    }
  }
}

/**
 * What a made call came to; `taken` is what was reserved for it. Where it is not known what came back
 * the reservation stands.
 */
export function costAfter(
  cost: CounterCost,
  taken: number,
  sentBytes: number,
  resultBytes: number | undefined,
): number {
  if (cost.type !== "bytes" && cost.type !== "tokens") return taken;
  if (resultBytes === undefined) return taken;
  return sizeOf(cost.type, sentBytes + resultBytes);
}

function sizeOf(type: "bytes" | "tokens", bytes: number): number {
  return toMillionths(type === "bytes" ? bytes : Math.ceil(bytes / bytesPerToken));
}

/** RFC 6901; own members only. */
function valueAt(value: unknown, pointer: readonly string[]): unknown {
  let found = value;
  for (const step of pointer) {
    if (Array.isArray(found)) {
      found = /^(?:0|[1-9][0-9]*)$/.test(step) ? found[Number(step)] : undefined;
    } else {
      found = isRecord(found) && Object.hasOwn(found, step) ? found[step] : undefined;
    }
  }
  return found;
}
