/**
 * Sends events as OPA sends its decision logs: a POST with a JSON array, gzip. What the receiver
 * does not take is sent again, so that events arrive at least once and in order.
 */
import { gzipSync } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";

const timeoutMs = 30_000;
const attemptsMax = 6;
const backoffMinMs = 250;

export interface EventReceiver {
  /** OPA's own is `…/logs`. */
  readonly url: string;
  /** `undefined`: nothing is sent to say who asks. */
  readonly bearer: string | undefined;
  readonly fetch: typeof fetch;
}

/** Resolves once the receiver has taken them; throws `export_failed`, never naming the token. */
export async function sendEvents(to: EventReceiver, events: readonly string[]): Promise<void> {
  const body = gzipSync(`[${events.join(",")}]`);
  for (let attempt = 1; ; attempt += 1) {
    const refusal = await post(to, body);
    if (refusal === undefined) return;
    if (refusal.isFinal || attempt === attemptsMax) {
      const { origin, pathname } = new URL(to.url);
      throw new DecisionError(
        "export_failed",
        `expected ${origin}${pathname} to take ${events.length} events, found: ${refusal.reason}`,
      );
    }
    await sleep(backoffMinMs * 2 ** (attempt - 1));
  }
}

interface Refusal {
  readonly reason: string;
  /** Sending the same again will not help. */
  readonly isFinal: boolean;
}

async function post(to: EventReceiver, body: Buffer): Promise<Refusal | undefined> {
  const authorization = to.bearer === undefined ? {} : { authorization: `Bearer ${to.bearer}` };
  try {
    const response = await to.fetch(to.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-encoding": "gzip",
        ...authorization,
      },
      body: new Uint8Array(body),
      // A token goes nowhere but to the address that was given.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const { status } = response;
    const isFinal = status < 500 && status !== 408 && status !== 429;
    return { reason: `status ${status}`, isFinal };
  } catch (thrown) {
    return { reason: messageOf(thrown), isFinal: false };
  }
}
