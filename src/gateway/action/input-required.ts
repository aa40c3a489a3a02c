/**
 * A modern server that wants input before it answers. Each of its questions is decided. A modern
 * client gets those that are allowed and retries by itself; a legacy client is asked, and the retry
 * is made for it, as a request that is decided again.
 */
import { isJsonObject, isRecord } from "../../contract/json.ts";
import type { RawResult } from "../../mcp/wire/read-server-message.ts";
import { rewriteResult } from "../../mcp/wire/rewrite-result.ts";
import type { GatewayParts } from "../parts.ts";
import { askClient } from "./ask-client.ts";
import type { Allowed, ForwardReply } from "./conclude.ts";
import { sealUpstream } from "./continuation.ts";
import { presentResult } from "./present-result.ts";
import { decideQuestion, isDeclared, maxQuestionsAtOnce } from "./question.ts";
import { upstreamFailed } from "./replies.ts";
import { settle } from "./settle.ts";

const maxRounds = 8;
const tooMany = `it asked more than ${maxQuestionsAtOnce} questions at once`;

/** True for a result that is a question. */
export function isInputRequired({ value }: RawResult): boolean {
  return value["resultType"] === "input_required";
}

/** Asks a legacy client and makes its retry. */
export async function answerInputs(
  parts: GatewayParts,
  allowed: Allowed,
  { value }: RawResult,
): Promise<ForwardReply> {
  const { request, target } = allowed;
  const round = (request.round ?? 0) + 1;
  if (round > maxRounds) return refused(allowed, `it asked more than ${maxRounds} times`);
  const asker = { client: request.client, server: target.server, during: target, ask: request.ask };
  const responses: string[] = [];
  const questions = questionsOf(value["inputRequests"]);
  if (questions.length > maxQuestionsAtOnce) return refused(allowed, tooMany);
  for (const { key, method, params } of questions) {
    const { signal } = request;
    const answer = await askClient(parts, asker, { method, params, signal, isAttributed: true });
    if (signal.aborted) return { kind: "cancelled" };
    if (answer.kind === "error") return refused(allowed, `${method}: ${answer.error.message}`);
    responses.push(`${JSON.stringify(key)}:${answer.resultJson}`);
  }
  const { requestState: state } = value;
  const requestState = sealUpstream(parts, allowed, state);
  const inputResponsesJson = `{${responses.join(",")}}`;
  return { kind: "again", request: { ...request, inputResponsesJson, requestState, round } };
}

/** Passes the questions on to a modern client, with a state that is good for it alone. */
export async function passInputs(
  parts: GatewayParts,
  allowed: Allowed,
  result: RawResult,
): Promise<ForwardReply> {
  const presented = await presentQuestions(parts, allowed, result);
  if (!presented.ok) return presented.reply;
  const state = sealUpstream(parts, allowed, result.value["requestState"]);
  const bytes = rewriteResult(result, {
    set: {
      ...presented.members,
      ...(state === undefined ? {} : { requestState: JSON.stringify(state) }),
    },
    drops: isInputMember,
    dropsMeta: () => false,
  });
  return { kind: "result", origin: "upstream", bytes, value: result.value };
}

/**
 * Passes a result that is no question. That of a task may hold questions all the same, and they are
 * decided; in any other they are none, and left out.
 */
export function passResult(
  parts: GatewayParts,
  allowed: Allowed,
  result: RawResult,
): ForwardReply | Promise<ForwardReply> {
  const mayAsk = Object.keys(result.value).some(isInputMember);
  return mayAsk ? passAsking(parts, allowed, result) : presentResult(parts, allowed, result);
}

async function passAsking(
  parts: GatewayParts,
  allowed: Allowed,
  result: RawResult,
): Promise<ForwardReply> {
  const { value } = result;
  const isAsking = allowed.action.type.startsWith("task_") && allowed.request.ask === undefined;
  const presented = isAsking ? await presentQuestions(parts, allowed, result) : noQuestions;
  if (!presented.ok) return presented.reply;
  const changes = { set: presented.members, drops: isInputMember, dropsMeta: () => false };
  const bytes = rewriteResult(result, changes);
  return presentResult(parts, allowed, { bytes, value });
}

type Presented =
  | { readonly ok: true; readonly members: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly reply: ForwardReply };

const noQuestions: Presented = { ok: true, members: {} };

/** Made of what was judged: the server's bytes may hold a member twice, or beside it. */
async function presentQuestions(
  parts: GatewayParts,
  allowed: Allowed,
  { value }: RawResult,
): Promise<Presented> {
  const { request, target } = allowed;
  const { client } = request;
  const { server } = target;
  const presented: string[] = [];
  const refuse = (reason: string): Presented => ({ ok: false, reply: refused(allowed, reason) });
  const questions = questionsOf(value["inputRequests"]);
  if (questions.length > maxQuestionsAtOnce) return refuse(tooMany);
  for (const { key, method, params } of questions) {
    const question = { client, server, method, params, during: target };
    const decision = await decideQuestion(parts, question);
    if (decision === undefined) return refuse(`${method.slice(0, 64)} is no question`);
    if (!decision.ok) return refuse(`${method} was denied (${decision.reason})`);
    const isAskable = isDeclared(client.capabilities, method, params);
    settle(parts, decision.action, isAskable ? "completed" : "not_forwarded", undefined);
    if (!isAskable) return refuse(`this client cannot answer ${method}`);
    const shown = JSON.stringify({ method, params: decision.params });
    presented.push(`${JSON.stringify(key)}:${shown}`);
  }
  const inputRequests = `{${presented.join(",")}}`;
  return presented.length === 0 ? noQuestions : { ok: true, members: { inputRequests } };
}

function isInputMember(key: string): boolean {
  return key === "inputRequests" || key === "requestState";
}

function questionsOf(inputRequests: unknown) {
  if (!isRecord(inputRequests)) return [];
  return Object.entries(inputRequests).map(([key, question]) => {
    const { method, params } = isJsonObject(question) ? question : {};
    return {
      key,
      method: typeof method === "string" ? method : "",
      params: isJsonObject(params) ? params : {},
    };
  });
}

/** The server's question does not reach the client, so its request cannot go on. */
function refused({ action, target }: Allowed, reason: string): ForwardReply {
  const message = `server "${target.server.id}" asked for input that it does not get: ${reason} (decision ${action.decisionId})`;
  return upstreamFailed(action, "input_refused", message);
}
