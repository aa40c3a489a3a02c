/**
 * A receiver of OPA's decision logs as a sink. Whatever it answers is tried again, by whoever offers
 * the events, but for 413: then halves are sent, and an event that is too large alone is given up.
 */
import { DecisionError } from "../decision-error.ts";
import type { EventSink } from "./event-sink.ts";
import type { EventReceiver } from "./send-events.ts";
import { postEvents, receiverName } from "./send-events.ts";

const contentTooLarge = 413;

/** Sends with each request the receiver's headers. */
export function httpSink(to: EventReceiver): EventSink {
  return { name: receiverName(to), take: (lines, signal) => take(to, lines, signal) };
}

async function take(
  to: EventReceiver,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const refusal = await postEvents(to, lines, signal);
  if (refusal === undefined) return 0;
  if (refusal.status !== contentTooLarge) {
    const message = `expected ${receiverName(to)} to take ${lines.length} events, found: ${refusal.reason}`;
    throw new DecisionError("export_failed", message);
  }
  if (lines.length === 1) return 1;
  const half = Math.ceil(lines.length / 2);
  const refused = await take(to, lines.slice(0, half), signal);
  return refused + (await take(to, lines.slice(half), signal));
}
