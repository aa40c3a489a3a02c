/**
 * One request over HTTP: its POST, and its answer as JSON or as a stream of its own. A legacy stream
 * that broke is resumed where the server gave it an event id; a request itself is never sent twice.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../../contract/ambient.ts";
import { readServerMessage } from "../../wire/read-server-message.ts";
import type { CarrierSink, OutgoingRequest, Speech } from "../carrier.ts";
import type { FailedReply } from "../failed.ts";
import { failed, maxMessageBytes, oversize } from "../failed.ts";
import type { UpstreamReply } from "../upstream-connection.ts";
import type { Endpoint, EndpointReply, EndpointResponse } from "./endpoint.ts";
import type { StreamMark } from "./pump-events.ts";
import { newMark, pumpEvents } from "./pump-events.ts";
import { readBody } from "./read-body.ts";
import { contentTypeOf, getHeaders, postHeaders } from "./request-headers.ts";
import { replyOfStatus } from "./status-reply.ts";

export interface ExchangeParts {
  readonly endpoint: Endpoint;
  readonly sink: CarrierSink;
  readonly log: Log;
  readonly session: () => string | undefined;
  /** Called with what answered `initialize`. */
  readonly onGreeted: (response: EndpointResponse) => void;
  readonly onSessionLost: () => void;
}

const firstRetryMs = 1000;
const shortestRetryMs = 50;
const longestRetryMs = 60_000;
const maxFailedResumes = 5;
/** How long a server may leave its stream open behind the answer. */
const lingerMs = 1000;

/** Resolves when the request is settled and its stream closed; never rejects. */
export async function exchange(
  parts: ExchangeParts,
  outgoing: OutgoingRequest,
  signal: AbortSignal,
): Promise<void> {
  const session = parts.session();
  const headers = postHeaders(outgoing, session);
  const sent = { method: "POST", headers, body: outgoing.text, lane: "calls", signal } as const;
  const reply = await parts.endpoint.send(sent);
  if (signal.aborted) return discard(reply);
  const settle = (ended: UpstreamReply): void => parts.sink.settle(outgoing.id, ended);
  if (reply.kind !== "response") return settle(failureOf(reply));
  const { response } = reply;
  if (response.statusCode !== 200) {
    const { reply: ended, isSessionLost } = await replyOfStatus(response, session !== undefined);
    if (!signal.aborted) settle(ended);
    if (isSessionLost) parts.onSessionLost();
    return;
  }
  if (outgoing.wanted.method === "initialize") parts.onGreeted(response);
  switch (contentTypeOf(response)) {
    case "application/json":
      return await receiveJson(parts, outgoing.id, response, signal);
    case "text/event-stream":
      return await receiveStream(parts, outgoing, response, signal);
    default:
      response.body.destroy();
      settle(failed("upstream_garbage", "it answered with neither JSON nor an event stream"));
  }
}

function discard(reply: EndpointReply): void {
  if (reply.kind === "response") reply.response.body.destroy();
}

async function receiveJson(
  { sink, log }: ExchangeParts,
  id: number,
  response: EndpointResponse,
  signal: AbortSignal,
): Promise<void> {
  const body = await readBody(response.body, maxMessageBytes);
  if (body.kind === "oversize") return sink.settle(id, oversize(body.bytes, maxMessageBytes));
  if (body.kind === "broken") {
    return signal.aborted ? undefined : sink.settle(id, failed("upstream_lost", body.reason));
  }
  const message = readServerMessage(body.bytes);
  const isAnswer = message.kind === "result" || message.kind === "error";
  if (isAnswer && message.id === id) return sink.receive(message, id);
  const reason = message.kind === "garbage" ? message.reason : `a ${message.kind} in its place`;
  log.warn({ reason }, "upstream sent no answer to what it was asked");
  sink.settle(id, failed("upstream_garbage", "the server's answer was malformed"));
}

async function receiveStream(
  parts: ExchangeParts,
  outgoing: OutgoingRequest,
  response: EndpointResponse,
  signal: AbortSignal,
): Promise<void> {
  const { id, speech } = outgoing;
  const mark = newMark();
  let stream: EndpointResponse | undefined = response;
  let failures = 0;
  // A server that is polled may have nothing to say for as long as the call may take.
  let silences = 0;
  while (failures <= maxFailedResumes) {
    mark.events = 0;
    if (stream !== undefined && (await followStream(parts, id, stream, mark))) return;
    if (signal.aborted) return;
    if (speech.era === "modern" || mark.lastEventId === undefined) break;
    silences = mark.events > 0 ? 0 : silences + 1;
    const next = await resume(parts, { speech, mark, silences }, signal);
    if (next === "refused") break;
    failures = next === undefined ? failures + 1 : 0;
    stream = next;
  }
  parts.sink.settle(id, failed("upstream_lost", "the stream ended before the answer"));
}

/** Says whether the answer came. */
async function followStream(
  { sink }: ExchangeParts,
  id: number,
  { body }: EndpointResponse,
  mark: StreamMark,
): Promise<boolean> {
  let isAnswered = false;
  let linger: NodeJS.Timeout | undefined;
  const finish = (): void => {
    isAnswered = true;
    linger ??= setTimeout(() => body.destroy(), lingerMs);
  };
  await pumpEvents(body, mark, {
    onMessage: (message) => {
      sink.receive(message, id);
      const isAnswer = message.kind === "result" || message.kind === "error";
      if ((isAnswer || message.kind === "garbage") && message.id === id) finish();
    },
    onOversize: (bytes) => {
      sink.settle(id, oversize(bytes, maxMessageBytes));
      finish();
    },
  });
  clearTimeout(linger);
  return isAnswered;
}

interface BrokenStream {
  readonly speech: Speech;
  readonly mark: StreamMark;
  /** Streams in a row that brought nothing. */
  readonly silences: number;
}

/** `undefined`: not this time. */
async function resume(
  { endpoint, session, log }: ExchangeParts,
  { speech, mark, silences }: BrokenStream,
  signal: AbortSignal,
): Promise<EndpointResponse | "refused" | undefined> {
  const leastMs = Math.min(shortestRetryMs * 2 ** silences, firstRetryMs);
  const waitMs = Math.min(Math.max(mark.retryMs ?? firstRetryMs, leastMs), longestRetryMs);
  log.debug({ wait_ms: waitMs }, "upstream stream ended early; resuming it");
  await delay(waitMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return "refused";
  const headers = getHeaders(speech, session(), mark.lastEventId);
  const reply = await endpoint.send({ method: "GET", headers, lane: "calls", signal });
  if (reply.kind !== "response") return reply.kind === "unauthorized" ? "refused" : undefined;
  const { response } = reply;
  if (response.statusCode === 200 && contentTypeOf(response) === "text/event-stream") {
    return response;
  }
  response.body.destroy();
  return response.statusCode >= 500 ? undefined : "refused";
}

/** What became of a request that got no response at all. */
export function failureOf(reply: Exclude<EndpointReply, { kind: "response" }>): FailedReply {
  switch (reply.kind) {
    case "unauthorized":
      return { ...failed("upstream_unauthorized", reply.reason), wasSent: true };
    case "unreachable":
      return failed("upstream_unavailable", reply.reason);
    case "broken":
      return failed("upstream_lost", reply.reason);
  }
}
