/**
 * One POST with a session of its own: every modern request, and every message that could not be
 * read. Whoever closes the connection cancels what it asked for.
 */
import type { ServerResponse } from "node:http";
import type { ClientMessage } from "../../wire/read-client-message.ts";
import { rpcCodes } from "../../wire/rpc.ts";
import { Session } from "../session.ts";
import { atExpiry } from "./at-expiry.ts";
import { headerMismatchCode } from "./check-mirrors.ts";
import { encodeEvent } from "./encode-event.ts";
import type { Caller, Front, OpenExchange } from "./front.ts";
import type { MessageStream } from "./reply.ts";
import { createReply } from "./reply.ts";

/** HTTP status of an answer that is an error of this code; every other one is 200. */
const statuses: ReadonlyMap<number, number> = new Map([
  [rpcCodes.parseError, 400],
  [rpcCodes.invalidRequest, 400],
  [rpcCodes.methodNotFound, 404],
  [headerMismatchCode, 400],
  // MissingRequiredClientCapability
  [-32_021, 400],
  [rpcCodes.unsupportedProtocolVersion, 400],
]);

/**
 * Serves a message to its end. `errorStatus`: where the message itself is the error, whatever its
 * code says.
 */
export async function serveExchange(
  front: Front,
  caller: Caller,
  message: ClientMessage,
  response: ServerResponse,
  errorStatus?: number,
): Promise<void> {
  if (hasLeft(message, response)) return;
  const { gateway, log, clock, limits, exchanges } = front;
  const reply = createReply({
    response,
    headers: caller.shared,
    streamAfterMs: limits.modernStreamAfterMs,
    statusOf: (code) => (code === undefined ? 200 : (errorStatus ?? statuses.get(code) ?? 200)),
    openStream: () => openStream(front, caller, response),
  });
  const session = new Session({
    gateway,
    log,
    principal: caller.principal,
    sessionId: undefined,
    send: reply.send,
    isBusy: reply.isBusy,
  });
  const isListen = message.kind === "request" && message.method === "subscriptions/listen";
  const exchange: OpenExchange = { isListen, close: () => session.close() };
  exchanges.add(exchange);
  response.once("close", exchange.close);
  const receiving = session.receive(message);
  // An exchange that has begun can be cancelled, so whatever ends it comes after.
  const forget = isListen ? atExpiry(clock, caller.expiresAtMs, exchange.close) : undefined;
  await receiving;
  forget?.();
  reply.finish();
  exchanges.delete(exchange);
}

/** Who left before the request was read to its end has cancelled it; a refusal is on record all the same. */
function hasLeft(message: ClientMessage, response: ServerResponse): boolean {
  return message.kind === "request" && response.destroyed;
}

/** Streams of this era cannot be resumed, so their events have no ids. */
function openStream(front: Front, { shared }: Caller, response: ServerResponse): MessageStream {
  const connection = front.streams.open(response, shared, () => {});
  return {
    get isBusy() {
      return connection.isBusy;
    },
    send: (parts) => connection.write(encodeEvent(undefined, parts)),
    end: connection.end,
  };
}
