/**
 * A legacy client before a server that may ask in the middle of a call: the client is asked while it
 * waits. Its answer is decided as the retry of a modern client is, as the call itself with the answer
 * in it, before the server gets it; a denial ends the call.
 */
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action } from "./action.ts";
import { admit } from "./admit.ts";
import { askClient, askUnprompted } from "./ask-client.ts";
import type { Allowed, ForwardReply } from "./conclude.ts";
import { conclude } from "./conclude.ts";
import type { Continuation } from "./continuation.ts";
import { upstreamRequest } from "./upstream-request.ts";

/** Sends the request and has its client asked; ends with its reply, or with an answer's denial. */
export async function attendCall(
  parts: GatewayParts,
  allowed: Allowed,
  continuation: Continuation,
): Promise<ForwardReply> {
  const { request, target } = allowed;
  const { client, ask, signal } = request;
  const { server } = target;
  const decided = [...(allowed.decided ?? [])];
  const course = new AbortController();
  const end = (): void => course.abort();
  let denial: ActionReply | undefined;

  const admitAnswer = async (responsesJson: string): Promise<Action | undefined> => {
    const admitted = await admit(parts, { ...request, inputResponsesJson: responsesJson });
    if (admitted.ok) {
      decided.push(...(admitted.allowed.decided ?? []));
      return admitted.allowed.action;
    }
    denial = admitted.reply;
    end();
    return undefined;
  };

  signal.addEventListener("abort", end, { once: true });
  const extras = { continuation, sessionLogLevel: parts.logLevels.of(client) };
  const asker = { client, server, during: target, ask, admitAnswer };
  const reply = await parts.fleet.request(server.id, client, {
    ...upstreamRequest(parts, request, target, extras),
    onRequest: (question) =>
      question.isAttributed
        ? askClient(parts, asker, question)
        : askUnprompted(parts, asker, question),
    signal: course.signal,
  });
  signal.removeEventListener("abort", end);
  const concluded = await conclude(parts, { ...allowed, decided }, reply);
  return denial ?? concluded;
}
