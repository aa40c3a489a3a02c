/**
 * Sends events as OPA sends its decision logs: a POST with a JSON array, gzip. What the receiver
 * does not take is sent again, so that events arrive at least once and in order.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";

const timeoutMs = 30_000;
const attemptsMax = 6;
const backoffMinMs = 250;
const compress = promisify(gzip);

export interface EventReceiver {
  /** OPA's own is `…/logs`. */
  readonly url: string;
  /** What says who asks, sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}

/** Resolves once the receiver has taken them; throws `export_failed`, never naming the token. */
export async function sendEvents(to: EventReceiver, events: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const refusal = await postEvents(to, events);
    if (refusal === undefined) return;
    if (refusal.isFinal || attempt === attemptsMax) {
      throw new DecisionError(
        "export_failed",
        `expected ${receiverName(to)} to take ${events.length} events, found: ${refusal.reason}`,
      );
    }
    await sleep(backoffMinMs * 2 ** (attempt - 1));
  }
}

/** A receiver as messages name it: a query may hold a key. */
export function receiverName({ url }: Pick<EventReceiver, "url">): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

export interface Refusal {
  readonly reason: string;
  /** `undefined` where there was no answer. */
  readonly status: number | undefined;
  /** Sending the same again will not help. */
  readonly isFinal: boolean;
}

/** Sends once; `undefined` where the receiver has taken them. What it answered is read by nobody. */
export async function postEvents(
  to: EventReceiver,
  events: readonly string[],
  signal?: AbortSignal,
): Promise<Refusal | undefined> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await to.fetch(to.url, {
      method: "POST",
      headers: {
        ...to.headers,
        "content-type": "application/json",
        "content-encoding": "gzip",
      },
      body: new Uint8Array(await compress(`[${events.join(",")}]`)),
      // A token goes nowhere but to the address that was given.
      redirect: "manual",
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const { status } = response;
    const isFinal = status < 500 && status !== 408 && status !== 429;
    return { reason: `status ${status}`, status, isFinal };
  } catch (thrown) {
    return { reason: reasonOf(thrown), status: undefined, isFinal: false };
  }
}

/** `fetch` says what went wrong in the cause alone. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? codeOf(thrown.cause) : undefined;
  return cause === undefined ? messageOf(thrown) : `${messageOf(thrown)} (${cause})`;
}
