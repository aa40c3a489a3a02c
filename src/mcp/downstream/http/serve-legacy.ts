/**
 * What a client of a revision up to 2025-11-25 may do over HTTP: begin a session, speak in it,
 * listen to it, end it. Whoever is not the session's own principal is told that there is none.
 */
import type { ServerResponse } from "node:http";
import type {
  ClientNotification,
  ClientRequest,
  ClientResponse,
  MalformedMessage,
} from "../../wire/read-client-message.ts";
import { legacyVersions, modernVersions } from "../../wire/method-table.ts";
import type { RequestId } from "../../wire/rpc.ts";
import { rpcCodes } from "../../wire/rpc.ts";
import { answerEmpty } from "./answer-json.ts";
import { atExpiry } from "./at-expiry.ts";
import { checkGet } from "./check-post.ts";
import { checkStandardHeaders, headerMismatchCode } from "./check-mirrors.ts";
import type { Caller, Front } from "./front.ts";
import type { LegacySession } from "./legacy-session.ts";
import type { Refusal } from "./refusal.ts";
import { gatewayEnding, refusal, refuse, unavailable, unknownSession } from "./refusal.ts";
import { serveExchange } from "./serve-exchange.ts";

type SessionReading =
  | { readonly ok: true; readonly session: LegacySession }
  | { readonly ok: false; readonly refusal: Refusal };

/** Serves a request or a notification; resolves when it is dealt with. */
export async function serveLegacy(
  front: Front,
  caller: Caller,
  message: ClientRequest | ClientNotification,
  response: ServerResponse,
): Promise<void> {
  const id = message.kind === "request" ? message.id : undefined;
  const mismatch = checkStandardHeaders(caller.headers, message, false);
  if (mismatch !== undefined) {
    return await serveRefused(front, caller, message, response, headerMismatchCode, mismatch);
  }
  if (message.kind === "request" && message.method === "initialize") {
    return await initialize(front, caller, message, response);
  }
  const reading = readSession(front, caller);
  if (!reading.ok) return refuse(response, reading.refusal, caller.shared, id);
  const { session } = reading;
  if (message.kind === "notification") {
    answerEmpty(response, 202, caller.shared);
    return await session.take(message);
  }
  if (session.isAnswering(message.id)) {
    const problem = "Invalid Request: the id is that of a request in flight";
    return await serveRefused(front, caller, message, response, rpcCodes.invalidRequest, problem);
  }
  const busy = findBusy(front, session);
  if (busy !== undefined) return refuse(response, busy, caller.shared, message.id);
  await session.serve(message, response, caller.shared);
}

/** Takes the client's answer to a question of the session's. */
export async function takeLegacyAnswer(
  front: Front,
  caller: Caller,
  message: ClientResponse | MalformedMessage,
  response: ServerResponse,
): Promise<void> {
  const reading = readSession(front, caller);
  if (!reading.ok) return refuse(response, reading.refusal, caller.shared);
  if (message.kind === "malformed") {
    refuse(response, refusal(400, message.message), caller.shared);
  } else {
    answerEmpty(response, 202, caller.shared);
  }
  await reading.session.take(message);
}

/** Serves a GET. */
export function serveListening(front: Front, caller: Caller, response: ServerResponse): void {
  const { headers, shared } = caller;
  const problem = checkGet(headers);
  if (problem !== undefined) return refuse(response, problem, shared);
  const reading = readSession(front, caller);
  if (!reading.ok) return refuse(response, reading.refusal, shared);
  if (front.isDraining()) {
    return refuse(response, gatewayEnding, shared);
  }
  // Who left meanwhile listens to nothing, and would never be heard to leave.
  if (response.destroyed) return;
  switch (reading.session.listen(response, shared, headers.get("last-event-id"))) {
    case "listening":
      return endWithToken(front, caller, response);
    case "ended":
      return answerEmpty(response, 204, shared);
    case "unknown_event":
      return refuse(response, refusal(400, "expected the Last-Event-ID of this session"), shared);
  }
}

/**
 * A client comes back for what it missed with a token that is good. Requests in flight are answered
 * all the same: they were let in, and decided, while the token was.
 */
function endWithToken({ clock }: Front, { expiresAtMs }: Caller, response: ServerResponse): void {
  const forget = atExpiry(clock, expiresAtMs, () => response.end());
  response.once("close", forget);
}

/** Serves a DELETE. */
export function endSession(front: Front, caller: Caller, response: ServerResponse): void {
  const reading = readSession(front, caller);
  if (!reading.ok) return refuse(response, reading.refusal, caller.shared);
  front.sessions.end(reading.session);
  answerEmpty(response, 204, caller.shared);
}

async function initialize(
  front: Front,
  caller: Caller,
  request: ClientRequest,
  response: ServerResponse,
): Promise<void> {
  const { shared, principal } = caller;
  const problem = findInitializeProblem(front, caller);
  if (problem !== undefined) return refuse(response, problem, shared, request.id);
  const session = front.sessions.create(principal);
  if (session === undefined) {
    const full = unavailable(503, "all sessions are in use; http.max_sessions is their number", 10);
    return refuse(response, full, shared, request.id);
  }
  await session.serve(request, response, { ...shared, "Mcp-Session-Id": session.id });
  if (!session.isGreeted) front.sessions.end(session);
}

function findInitializeProblem(front: Front, caller: Caller): Refusal | undefined {
  const version = checkVersion(caller);
  if (version !== undefined) return version;
  if (front.isDraining()) return gatewayEnding;
  const id = caller.headers.get("mcp-session-id");
  if (id === undefined) return undefined;
  const isKnown = front.sessions.find(id, caller.principal) !== undefined;
  return isKnown ? refusal(400, "Invalid Request: the session is initialized") : unknownSession;
}

function readSession(front: Front, caller: Caller): SessionReading {
  const problem = checkVersion(caller);
  if (problem !== undefined) return { ok: false, refusal: problem };
  const id = caller.headers.get("mcp-session-id");
  if (id === undefined) {
    const missing = refusal(400, "expected the header Mcp-Session-Id, which initialize answers");
    return { ok: false, refusal: missing };
  }
  const session = front.sessions.find(id, caller.principal);
  return session === undefined ? { ok: false, refusal: unknownSession } : { ok: true, session };
}

/** Clients of the revisions before 2025-06-18 do not send the header. */
function checkVersion({ headers }: Caller): Refusal | undefined {
  const version = headers.get("mcp-protocol-version");
  if (version === undefined || legacyVersions.some((known) => known === version)) return undefined;
  const known = [...modernVersions, ...legacyVersions].join(", ");
  return refusal(400, `Unsupported protocol version: expected one of ${known}`);
}

function findBusy(front: Front, session: LegacySession): Refusal | undefined {
  if (front.isDraining()) return gatewayEnding;
  if (session.inFlight < front.limits.maxInFlightPerSession) return undefined;
  return unavailable(429, "too many requests of this session are in flight", 1);
}

/** Refuses a message as a whole, so that the refusal is on record. */
async function serveRefused(
  front: Front,
  caller: Caller,
  message: ClientRequest | ClientNotification,
  response: ServerResponse,
  code: number,
  problem: string,
): Promise<void> {
  const id: RequestId | null = message.kind === "request" ? message.id : null;
  const reason = code === headerMismatchCode ? "header_mismatch" : "id_in_flight";
  const { method } = message;
  const malformed: MalformedMessage = {
    kind: "malformed",
    id,
    answers: undefined,
    code,
    message: problem,
    reason,
    method,
  };
  await serveExchange(front, caller, malformed, response, 400);
}
