/**
 * A modern client before a legacy server that may ask in the middle of a call: the call stays open
 * here while the client goes and comes back. Each return is a request of its own, decided before
 * the answers that it brings reach the server.
 */
import { isJsonObject } from "../../contract/json.ts";
import type { GatewayParts } from "../parts.ts";
import { presentLogMessage } from "../present-log-message.ts";
import { askClient } from "./ask-client.ts";
import type { Allowed, ForwardReply } from "./conclude.ts";
import { conclude } from "./conclude.ts";
import type { Continuation } from "./continuation.ts";
import { sealHeld } from "./continuation.ts";
import type { HeldCall } from "./held-calls.ts";
import type { ClientQuestion } from "../gateway.ts";
import { settle } from "./settle.ts";
import { placeOf } from "./stopped.ts";
import { upstreamRequest } from "./upstream-request.ts";

/** Sends the request; ends with its reply, or with the server's first questions. */
export async function holdCall(
  parts: GatewayParts,
  allowed: Allowed,
  continuation: Continuation,
): Promise<ForwardReply> {
  const { request, target } = allowed;
  const { client } = request;
  const { server } = target;
  const held = parts.heldCalls.open(placeOf(target), request);
  const asker = {
    client,
    server,
    ask: (question: ClientQuestion) => held.ask(question),
  };
  const extras = { continuation, sessionLogLevel: undefined };
  const wanted = upstreamRequest(parts, request, target, extras);
  const reply = parts.fleet.request(server.id, client, {
    ...wanted,
    onProgress:
      wanted.onProgress && ((progress) => held.tell(({ onProgress }) => onProgress?.(progress))),
    onNotification: (notice) => {
      const shown = presentLogMessage(server, notice);
      if (shown !== undefined) held.tell(({ onNotification }) => onNotification(shown));
    },
    onRequest: (question) => {
      const during = question.isAttributed ? target : undefined;
      return askClient(parts, { ...asker, during }, question);
    },
    signal: held.signal,
  });
  void reply.then((ended) => held.end(ended));
  return await step(parts, allowed, held);
}

/** Hands the client's answers to the server and waits for what comes next. */
export async function resumeCall(
  parts: GatewayParts,
  allowed: Allowed,
  held: HeldCall,
): Promise<ForwardReply> {
  const { request } = allowed;
  held.attach(request);
  const responses: unknown = JSON.parse(request.inputResponsesJson ?? "{}");
  held.deliver(isJsonObject(responses) ? responses : {});
  return await step(parts, allowed, held);
}

async function step(parts: GatewayParts, asked: Allowed, held: HeldCall): Promise<ForwardReply> {
  held.decided.push(...(asked.decided ?? []));
  const allowed = { ...asked, decided: held.decided };
  for (;;) {
    const next = await held.next(allowed.request.signal);
    if (next.kind === "ended") {
      parts.heldCalls.drop(held);
      return await conclude(parts, allowed, next.reply);
    }
    if (parts.heldCalls.keep(held)) return inputRequired(parts, allowed, held, next.questions);
    parts.log.warn({ server: allowed.target.server.id }, "too many calls wait for their clients");
    held.refuseAll("too many calls wait for their clients");
  }
}

function inputRequired(
  parts: GatewayParts,
  { request, action }: Allowed,
  held: HeldCall,
  questions: ReadonlyMap<string, ClientQuestion>,
): ForwardReply {
  held.detach();
  const inputRequests = [...questions].map(
    ([key, { method, paramsJson }]) =>
      `${JSON.stringify(key)}:{"method":${JSON.stringify(method)},"params":${paramsJson}}`,
  );
  const state = JSON.stringify(sealHeld(parts, request, held));
  const text = `{"resultType":"input_required","inputRequests":{${inputRequests.join(",")}},"requestState":${state}}`;
  const bytes = Buffer.from(text);
  settle(parts, action, "completed", bytes);
  const value = { resultType: "input_required" };
  return { kind: "result", origin: "gateway", bytes, value };
}
