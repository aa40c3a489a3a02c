/**
 * The stream on which a legacy server says what belongs to no request: opened once hands are shaken,
 * opened again whenever it ends, ever more slowly while nothing comes of it. A server without one
 * says so once.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../../contract/ambient.ts";
import type { CarrierSink, Speech } from "../carrier.ts";
import type { Endpoint } from "./endpoint.ts";
import { newMark, pumpEvents } from "./pump-events.ts";
import { contentTypeOf, getHeaders } from "./request-headers.ts";
import { replyOfStatus } from "./status-reply.ts";

export interface StandingParts {
  readonly endpoint: Endpoint;
  readonly sink: CarrierSink;
  readonly log: Log;
  readonly speech: Speech;
  readonly session: string | undefined;
  readonly onSessionLost: () => void;
  /** Called whenever the server answered, whatever it did. */
  readonly onAnswered: () => void;
}

const firstWaitMs = 1000;
const longestWaitMs = 60_000;

/** Resolves when the server has no such stream, or when `signal` aborts; never rejects. */
export async function keepStandingStream(parts: StandingParts, signal: AbortSignal): Promise<void> {
  const { endpoint, sink, log, speech, session } = parts;
  const mark = newMark();
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    mark.events = 0;
    const headers = getHeaders(speech, session, mark.lastEventId);
    const reply = await endpoint.send({ method: "GET", headers, lane: "messages", signal });
    parts.onAnswered();
    if (reply.kind === "unauthorized") {
      log.warn({ reason: reply.reason }, "upstream refuses its standing stream");
      return;
    }
    if (reply.kind === "response") {
      const { response } = reply;
      const { statusCode: status } = response;
      if (status === 200 && contentTypeOf(response) === "text/event-stream") {
        await pumpEvents(response.body, mark, {
          onMessage: (message) => sink.receive(message, "standing"),
          onOversize: (bytes) =>
            log.warn({ bytes }, "upstream message over the size limit dropped"),
        });
      } else {
        const { isSessionLost } = await replyOfStatus(response, session !== undefined);
        if (isSessionLost) return parts.onSessionLost();
        if (status < 500) return log.debug({ status }, "upstream has no standing stream");
      }
    }
    waitMs = mark.events > 0 ? firstWaitMs : Math.min(waitMs * 2, longestWaitMs);
    const nextMs = Math.min(Math.max(mark.retryMs ?? 0, waitMs), longestWaitMs);
    await delay(nextMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
