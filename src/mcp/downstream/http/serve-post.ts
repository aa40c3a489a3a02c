/**
 * One POST to the endpoint: read its message once, find out which era it speaks, and hand it to a
 * session of that era. A header never makes up for what the body does not say.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type {
  ClientMessage,
  ClientRequest,
  MalformedMessage,
} from "../../wire/read-client-message.ts";
import { readClientMessage } from "../../wire/read-client-message.ts";
import { modernVersions } from "../../wire/method-table.ts";
import { rpcCodes } from "../../wire/rpc.ts";
import type { EraReading } from "../read-era.ts";
import { metaKeys, readEra } from "../read-era.ts";
import { answerEmpty } from "./answer-json.ts";
import {
  checkParameterHeaders,
  checkStandardHeaders,
  checkVersionHeader,
  headerMismatchCode,
} from "./check-mirrors.ts";
import { checkPost } from "./check-post.ts";
import type { Caller, Front } from "./front.ts";
import { readBody } from "./read-body.ts";
import { readTransportTrace } from "./read-headers.ts";
import { gatewayEnding, refusal, refuse, unavailable } from "./refusal.ts";
import { serveExchange } from "./serve-exchange.ts";
import { serveLegacy, takeLegacyAnswer } from "./serve-legacy.ts";

/** Serves a POST of an authenticated caller; resolves when its message is dealt with. */
export async function servePost(
  front: Front,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const problem = checkPost(caller.headers);
  if (problem !== undefined) return refuse(response, problem, caller.shared);
  const { maxBodyBytes } = front.http;
  const reading = await readBody(request, maxBodyBytes);
  if (reading.ok) {
    const message = withTrace(readClientMessage(reading.body), caller);
    return await serveMessage(front, caller, message, response);
  }
  if (reading.reason === "gone") return;
  const message = `expected a message of at most ${maxBodyBytes} bytes`;
  refuse(response, refusal(413, message, { Connection: "close" }), caller.shared);
}

function withTrace(message: ClientMessage, { headers }: Caller): ClientMessage {
  if (message.kind !== "request") return message;
  const transportTrace = readTransportTrace(headers);
  return transportTrace === undefined ? message : { ...message, transportTrace };
}

async function serveMessage(
  front: Front,
  caller: Caller,
  message: ClientMessage,
  response: ServerResponse,
): Promise<void> {
  if (message.kind === "response" || (message.kind === "malformed" && isAnswer(message))) {
    return await takeLegacyAnswer(front, caller, message, response);
  }
  const leave = front.traffic.enter(caller.principal.key);
  if (leave === undefined) {
    const tooMany = unavailable(429, "too many requests of this principal are in flight", 1);
    return refuse(response, tooMany, caller.shared, idOf(message));
  }
  try {
    await serveCounted(front, caller, message, response);
  } finally {
    leave();
  }
}

async function serveCounted(
  front: Front,
  caller: Caller,
  message: Exclude<ClientMessage, { readonly kind: "response" }>,
  response: ServerResponse,
): Promise<void> {
  if (message.kind === "malformed") {
    return await serveExchange(front, caller, message, response, 400);
  }
  const reading = readEra(message.params);
  const isModern = reading.era !== "legacy" || saysModern(caller);
  if (!isModern) return await serveLegacy(front, caller, message, response);
  if (message.kind === "request") {
    return await serveModern(front, caller, message, reading, response);
  }
  answerEmpty(response, 202, caller.shared);
  await serveExchange(front, caller, message, response);
}

async function serveModern(
  front: Front,
  caller: Caller,
  request: ClientRequest,
  reading: EraReading,
  response: ServerResponse,
): Promise<void> {
  if (front.isDraining()) {
    return refuse(response, gatewayEnding, caller.shared, request.id);
  }
  const problem = await findProblem(front, caller, request, reading);
  if (problem !== undefined) return await serveExchange(front, caller, problem, response, 400);
  const errorStatus = reading.era === "refused" ? 400 : undefined;
  await serveExchange(front, caller, request, response, errorStatus);
}

/** What headers and body do not agree on. A refused envelope is answered by the session itself. */
async function findProblem(
  front: Front,
  { headers, principal }: Caller,
  request: ClientRequest,
  reading: EraReading,
): Promise<MalformedMessage | undefined> {
  if (reading.era === "legacy") {
    const message = `expected _meta["${metaKeys.protocolVersion}"] in params, found none`;
    return malformed(request, rpcCodes.invalidParams, message, "envelope_missing");
  }
  const mismatch =
    checkVersionHeader(headers, request.params) ??
    (reading.era === "refused"
      ? undefined
      : (checkStandardHeaders(headers, request, true) ?? (await checkParameters())));
  if (mismatch === undefined) return undefined;
  const message = `Header mismatch: ${mismatch}`;
  return malformed(request, headerMismatchCode, message, "header_mismatch");

  async function checkParameters(): Promise<string | undefined> {
    const { name, arguments: args } = request.params;
    if (request.method !== "tools/call" || reading.era !== "modern") return undefined;
    if (typeof name !== "string") return undefined;
    const { era, protocolVersion, claim, capabilities } = reading;
    // Written out: a spread costs as much as all other checks of the headers together.
    const client = { era, protocolVersion, claim, capabilities, principal, session: undefined };
    const pointers = await front.gateway.parameterHeaders(client, name);
    return checkParameterHeaders(headers, args, pointers);
  }
}

/** A request that is refused as a whole, so that the refusal is on record. */
function malformed(
  { id, method }: ClientRequest,
  code: number,
  message: string,
  reason: string,
): MalformedMessage {
  return { kind: "malformed", id, answers: undefined, code, message, reason, method };
}

function saysModern({ headers }: Caller): boolean {
  const version = headers.get("mcp-protocol-version");
  return modernVersions.some((known) => known === version);
}

function isAnswer({ answers }: MalformedMessage): boolean {
  return answers !== undefined;
}

function idOf(message: ClientMessage) {
  return message.kind === "request" ? message.id : undefined;
}
