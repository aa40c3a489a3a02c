/**
 * The Streamable HTTP front on `node:http`, for clients of every revision. It knows connections,
 * sessions and streams; who a client is says `authenticate`, and what a request may do says the
 * gateway. It ends without dropping a request that is in flight, for as long as its grace lasts.
 */
import type { Server } from "node:http";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, messageOf } from "../../../errors.ts";
import { answerEmpty } from "./answer-json.ts";
import { createEventStreams } from "./event-stream.ts";
import type { Front } from "./front.ts";
import { HttpFrontError } from "./http-front-error.ts";
import type { HttpLimits } from "./http-limits.ts";
import { httpLimits } from "./http-limits.ts";
import { createLegacySessions } from "./legacy-sessions.ts";
import { createOriginPolicy, isLoopback } from "./origin-policy.ts";
import { createQueuedResponses } from "./queued-responses.ts";
import { createRefusalLog } from "./refusal-log.ts";
import { routeRequest } from "./route-request.ts";
import { createTraffic } from "./traffic.ts";

export interface HttpFrontOptions extends Pick<
  Front,
  "gateway" | "log" | "clock" | "http" | "authenticate" | "protectedResourceMetadata" | "readiness"
> {
  /** Name or address, and 0 for any free port. */
  readonly listen: { readonly host: string; readonly port: number };
  /** For tests; what is not said is as in `http-limits.ts`. */
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpFront {
  /** What clients call, path included. */
  readonly url: string;
  /** Where it listens. */
  readonly port: number;
  /** Refuses new work, waits for what is in flight, then ends all connections. */
  readonly close: () => Promise<void>;
}

const defaultPath = "/mcp";
/** For answers that say that everything was cancelled. */
const lastWordsMs = 500;

/**
 * Serves until `close`.
 *
 * @throws HttpFrontError where the address is not to be had, or open to others without tokens
 */
export async function serveHttp(options: HttpFrontOptions): Promise<HttpFront> {
  const { listen, http } = options;
  if (http.authorization === undefined && !isLoopback(listen.host)) {
    const message = `http.authorization: expected tokens or issuers before listening on ${listen.host}, which others can reach; or listen on 127.0.0.1`;
    throw new HttpFrontError("http_needs_authorization", message);
  }
  const limits = { ...httpLimits, ...options.limits };
  const state = { isDraining: false };
  const front = createFront(options, limits, () => state.isDraining);
  const server = createListener(front);
  const port = await startListening(server, options);
  const timers = [
    setInterval(front.streams.comment, limits.commentEveryMs).unref(),
    setInterval(front.sessions.sweep, limits.sweepEveryMs).unref(),
  ];
  const end = async (): Promise<void> => {
    state.isDraining = true;
    await drain(front);
    for (const timer of timers) clearInterval(timer);
    await stopListening(server);
  };
  let ending: Promise<void> | undefined;
  return { url: urlOf(options, port), port, close: () => (ending ??= end()) };
}

function createFront(
  options: HttpFrontOptions,
  limits: HttpLimits,
  isDraining: () => boolean,
): Front {
  const { gateway, log, clock, http } = options;
  const streams = createEventStreams(limits.maxUnreadBytes);
  const { maxSessions, sessionIdleMs } = http;
  const parts = { gateway, log, clock, limits, streams };
  return {
    ...options,
    limits,
    isDraining,
    streams,
    path: http.publicUrl === undefined ? defaultPath : new URL(http.publicUrl).pathname,
    judgeOrigin: createOriginPolicy(http),
    tellRefusal: createRefusalLog(log, clock),
    sessions: createLegacySessions({ ...parts, maxSessions, sessionIdleMs }),
    traffic: createTraffic(limits.maxInFlightPerPrincipal),
    exchanges: new Set(),
  };
}

function createListener(front: Front): Server {
  const { limits, log } = front;
  const settings = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(5000, limits.requestTimeoutMs),
    keepAlive: true,
  };
  const watchQueued = createQueuedResponses();
  const server = createServer(settings, (request, response) => {
    watchQueued(response);
    // What is written to a client that left is nobody's loss.
    response.on("error", () => {});
    routeRequest(front, request, response).catch((thrown: unknown) => {
      const reason = messageOf(thrown);
      log.error({ code: codeOf(thrown) ?? "internal_error", reason }, "http request failed");
      if (response.headersSent) response.destroy();
      else answerEmpty(response, 500, {});
    });
  });
  server.maxConnections = limits.maxConnections;
  return server;
}

/** Resolves with the port. */
async function startListening(server: Server, { listen }: HttpFrontOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `cannot listen on ${listen.host}:${listen.port}: ${cause.message}; ${adviceOn(cause)}`;
      reject(new HttpFrontError("http_listen_failed", message, { cause }));
    });
    server.listen({ host: listen.host, port: listen.port }, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : listen.port;
}

function adviceOn(cause: Error): string {
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return "end what listens there, or choose another port with --http HOST:PORT";
    case "EACCES":
      return "choose a port of 1024 or above, or allow this user the lower ones";
    default:
      return "choose an address of this machine with --http HOST:PORT";
  }
}

function urlOf({ listen, http }: HttpFrontOptions, port: number): string {
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  return http.publicUrl ?? `http://${host}:${port}${defaultPath}`;
}

/** Who only listens is let go at once; requests in flight get their time, and new ones a 503. */
async function drain({ sessions, exchanges, traffic, limits, log }: Front): Promise<void> {
  sessions.endStandalone();
  for (const exchange of exchanges) if (exchange.isListen) exchange.close();
  await inTime(traffic.settled(), limits.graceMs);
  if (traffic.inFlight > 0) {
    log.warn({ in_flight: traffic.inFlight }, "requests cut at the end of the grace time");
  }
  for (const exchange of exchanges) exchange.close();
  sessions.close();
  await inTime(traffic.settled(), lastWordsMs);
}

async function stopListening(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await inTime(closed, lastWordsMs);
  server.closeAllConnections();
  await closed;
}

async function inTime(promise: Promise<void>, withinMs: number): Promise<void> {
  const cancel = new AbortController();
  const timeout = delay(withinMs, undefined, { signal: cancel.signal }).catch(() => {});
  await Promise.race([promise, timeout]);
  cancel.abort();
}
