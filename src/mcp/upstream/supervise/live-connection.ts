/**
 * One open connection with a pulse: it hears every sign of life of the server, and says when the
 * server hangs: when three requests in a row timed out while it said nothing, or when a legacy
 * server that let the last request time out does not answer a ping either.
 */
import { messageOf } from "../../../errors.ts";
import { failed } from "../failed.ts";
import type { UpstreamConnection, UpstreamReply, UpstreamRequest } from "../upstream-connection.ts";

export interface LiveConnection {
  readonly kind: "live";
  readonly connection: UpstreamConnection;
  /** Monotonic. */
  readonly startedMs: number;
  /**
   * Sends a request with what is left of its time; `onLife` hears each sign of life that belongs to
   * it. Never rejects.
   */
  readonly send: (
    wanted: UpstreamRequest,
    timeoutMs: number,
    onLife: () => void,
  ) => Promise<UpstreamReply>;
  /** A message of the server that belongs to no request. */
  readonly hear: () => void;
  /** True where requests broke off since the server was last heard. */
  readonly isBroken: () => boolean;
  /** Resolves when a server under suspicion was pinged; `undefined` where there is no need. */
  readonly checkPulse: () => Promise<void> | undefined;
}

export interface LiveOptions {
  readonly connection: UpstreamConnection;
  readonly startedMs: number;
  /** Called when the server hangs; it may be called again. */
  readonly onHung: (reason: string) => void;
}

const pingTimeoutMs = 2000;
const unansweredToHang = 3;

/** Takes over a connection that was opened a moment ago. */
export function createLiveConnection(options: LiveOptions): LiveConnection {
  const { connection, startedMs, onHung } = options;
  let inFlight = 0;
  let unanswered = 0;
  let isBroken = false;
  let pulse: Promise<void> | undefined;

  function hear(): void {
    unanswered = 0;
    isBroken = false;
  }

  async function send(
    wanted: UpstreamRequest,
    timeoutMs: number,
    onLife: () => void,
  ): Promise<UpstreamReply> {
    const heard = (): void => {
      hear();
      onLife();
    };
    inFlight += 1;
    let reply: UpstreamReply;
    try {
      reply = await connection.request(listening(wanted, timeoutMs, heard));
    } catch (thrown) {
      // Turns and places depend on this ending, so not even a broken promise breaks it.
      reply = failed("upstream_lost", `the connection failed: ${messageOf(thrown)}`);
    }
    inFlight -= 1;
    if (isAnswer(reply)) hear();
    if (isBreak(wanted, reply)) isBroken = true;
    if (isTimeout(reply)) unanswered += 1;
    if (unanswered >= unansweredToHang) onHung(`it left ${unanswered} requests without an answer`);
    return reply;
  }

  async function ping(): Promise<void> {
    const wanted = { method: "ping", params: {}, timeoutMs: pingTimeoutMs };
    const reply = await send(wanted, pingTimeoutMs, () => {});
    pulse = undefined;
    if (isTimeout(reply) || isBreak(wanted, reply))
      onHung("it answered neither a request nor a ping");
  }

  function checkPulse(): Promise<void> | undefined {
    const isSuspect = unanswered > 0 && inFlight === 0 && connection.greeting.era === "legacy";
    if (isSuspect) pulse = ping();
    return pulse;
  }

  return { kind: "live", connection, startedMs, send, hear, isBroken: () => isBroken, checkPulse };
}

/** True where the server said something, wanted or not. */
export function isAnswer(reply: UpstreamReply): boolean {
  if (reply.kind !== "failed") return true;
  return reply.code === "upstream_oversize" || reply.code === "upstream_garbage";
}

/** True where the server could not be reached, or broke off; that a stream ends is no break. */
export function isBreak(wanted: UpstreamRequest, reply: UpstreamReply): boolean {
  if (reply.kind !== "failed") return false;
  if (reply.code === "upstream_lost") return !isStream(wanted);
  return reply.code === "upstream_unavailable";
}

/** A request that stays open, `subscriptions/listen` and the like. */
export function isStream(wanted: UpstreamRequest): boolean {
  return wanted.timeoutMs === Infinity;
}

export function isTimeout(reply: UpstreamReply): boolean {
  return reply.kind === "failed" && reply.code === "upstream_timeout";
}

/** The same request, whose listeners are heard; what nobody listens to stays so. */
function listening(wanted: UpstreamRequest, timeoutMs: number, heard: () => void): UpstreamRequest {
  return {
    ...wanted,
    timeoutMs,
    onProgress: before(heard, wanted.onProgress),
    onNotification: before(heard, wanted.onNotification),
    onRequest: before(heard, wanted.onRequest),
  };
}

function before<Heard, Answer>(
  first: () => void,
  then: ((heard: Heard) => Answer) | undefined,
): ((heard: Heard) => Answer) | undefined {
  if (then === undefined) return undefined;
  return (heard) => {
    first();
    return then(heard);
  };
}
