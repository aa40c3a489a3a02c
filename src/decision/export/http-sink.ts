/**
 * A receiver of OPA's decision logs as a sink. Whatever it answers is tried again, by whoever offers
 * the events. Three answers may be about the events and not about who sends them: 413 at once, 400
 * and 422 once the same events were refused so a few times. Then halves are sent, and an event that
 * is refused alone is given up, so that it does not hold up all that comes after it.
 */
import { DecisionError } from "../decision-error.ts";
import type { EventSink, RefusedLine } from "./event-sink.ts";
import type { EventReceiver, Refusal } from "./send-events.ts";
import { postEvents, receiverName } from "./send-events.ts";

const contentTooLarge = 413;
const aboutContent: readonly number[] = [400, 422];
/** As often a batch is refused before it is halved, and an event alone before it is given up. */
const refusalsMax = 5;

/** Sends with each request the receiver's headers. */
export function httpSink(to: EventReceiver): EventSink {
  const sender = new BatchSender(to);
  return { name: receiverName(to), take: (lines, signal) => sender.take(lines, signal) };
}

/** What is known of a batch that is offered again and again. */
interface Standing {
  /** Its first line: more may have come behind the last since. */
  readonly first: string;
  /** How often it was refused as a whole. */
  refusals: number;
  /** By line, how often it was refused alone. */
  readonly alone: Map<string, number>;
  /** Taken; not sent again while others of the batch are refused. */
  readonly taken: Set<string>;
  readonly givenUp: Map<string, RefusedLine>;
}

class BatchSender {
  readonly #to: EventReceiver;
  #standing: Standing | undefined;

  constructor(to: EventReceiver) {
    this.#to = to;
  }

  async take(lines: readonly string[], signal: AbortSignal): Promise<readonly RefusedLine[]> {
    const [first] = lines;
    if (first === undefined) return [];
    if (this.#standing?.first !== first) this.#standing = standingOf(first);
    const standing = this.#standing;
    const rest = lines.filter((line) => !standing.taken.has(line) && !standing.givenUp.has(line));
    await this.#offer(standing, rest, signal);
    this.#standing = undefined;
    return [...standing.givenUp.values()];
  }

  async #offer(standing: Standing, lines: readonly string[], signal: AbortSignal): Promise<void> {
    const [first] = lines;
    if (first === undefined) return;
    // What was refused alone goes alone again: others would be refused with it.
    const count = standing.alone.has(first) ? 1 : lines.length;
    await this.#send(standing, lines.slice(0, count), signal);
    await this.#offer(standing, lines.slice(count), signal);
  }

  async #send(standing: Standing, lines: readonly string[], signal: AbortSignal): Promise<void> {
    const refusal = await postEvents(this.#to, lines, signal);
    if (refusal === undefined) {
      for (const line of lines) standing.taken.add(line);
      return;
    }
    if (!isAboutEvents(standing, lines, refusal)) throw this.#notTaken(lines, refusal);
    const [line] = lines;
    if (line !== undefined && lines.length === 1) {
      standing.givenUp.set(line, { line, status: refusal.status });
      return;
    }
    const half = Math.ceil(lines.length / 2);
    await this.#offer(standing, lines.slice(0, half), signal);
    await this.#offer(standing, lines.slice(half), signal);
  }

  #notTaken(lines: readonly string[], { reason }: Refusal): DecisionError {
    const message = `expected ${receiverName(this.#to)} to take ${lines.length} events, found: ${reason}`;
    return new DecisionError("export_failed", message);
  }
}

function standingOf(first: string): Standing {
  return { first, refusals: 0, alone: new Map(), taken: new Set(), givenUp: new Map() };
}

/** Whether these events are what is wrong, as far as it is known; counts the refusal. */
function isAboutEvents(
  standing: Standing,
  lines: readonly string[],
  { status = 0 }: Refusal,
): boolean {
  if (status === contentTooLarge) return true;
  if (!aboutContent.includes(status)) return false;
  const [line = ""] = lines;
  if (lines.length > 1) {
    standing.refusals += 1;
    return standing.refusals >= refusalsMax;
  }
  const refusals = (standing.alone.get(line) ?? 0) + 1;
  standing.alone.set(line, refusals);
  return refusals >= refusalsMax;
}
