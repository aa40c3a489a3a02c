/**
 * Carries a decided question of a legacy server to the client and its answer back. What the client
 * says is decided too before the server gets it: by the request that brings it, or here.
 */
import type { ClientAnswer, ServerRequest } from "../../mcp/upstream/upstream-connection.ts";
import type { ClientQuestion, ClientReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action } from "./action.ts";
import { questionKey } from "./held-calls.ts";
import type { Question } from "./question.ts";
import { decideQuestion, isDeclared } from "./question.ts";
import { deniedCode } from "./replies.ts";
import { settle } from "./settle.ts";

const methodNotFound = { code: -32_601, message: "Method not found" } as const;

/** How a client can be asked; `undefined` where it cannot. */
export type Ask = ((question: ClientQuestion) => Promise<ClientReply>) | undefined;

export interface Asker extends Pick<Question, "client" | "server" | "during"> {
  readonly ask: Ask;
  /**
   * Decides and records what the client answered, as `input_responses`; `undefined` for a denial.
   * Left out where a request of the client's brings the answer and is decided itself.
   */
  readonly admitAnswer?: ((responsesJson: string) => Promise<Action | undefined>) | undefined;
}

/** Answers the server: with what the client said, or with why it was not asked. */
export async function askClient(
  parts: GatewayParts,
  asker: Asker,
  { method, params, signal }: ServerRequest,
): Promise<ClientAnswer> {
  const { client, server, during } = asker;
  const decision = await decideQuestion(parts, { client, server, during, method, params });
  if (decision === undefined) return { kind: "error", error: methodNotFound };
  if (!decision.ok) return denied(decision.reason);
  const { action } = decision;
  const configured = method === "roots/list" ? server.roots : undefined;
  if (configured !== undefined) {
    settle(parts, action, "completed", undefined);
    return { kind: "result", resultJson: JSON.stringify({ roots: configured }) };
  }
  if (asker.ask === undefined || !isDeclared(client.capabilities, method, params)) {
    settle(parts, action, "not_forwarded", undefined);
    return { kind: "error", error: methodNotFound };
  }
  const question = { method, paramsJson: JSON.stringify(decision.params), signal };
  const reply = await asker.ask(question);
  settleReply(parts, action, reply);
  return await passReply(parts, asker, question, reply);
}

/**
 * Asks where no request is under way. There is no action then for the answer to belong to but the
 * question's own, which is decided a second time with the answer in it.
 */
export async function askUnprompted(
  parts: GatewayParts,
  { client, server, ask }: Pick<Asker, "client" | "server" | "ask">,
  asked: ServerRequest,
): Promise<ClientAnswer> {
  const { method, params } = asked;
  const question = { client, server, during: undefined, method, params };
  const admitAnswer = async (responsesJson: string): Promise<Action | undefined> => {
    const decision = await decideQuestion(parts, { ...question, responsesJson });
    return decision?.ok === true ? decision.action : undefined;
  };
  return await askClient(parts, { client, server, during: undefined, ask, admitAnswer }, asked);
}

function settleReply(parts: GatewayParts, action: Action, reply: ClientReply): void {
  if (reply.kind === "error") return settle(parts, action, "tool_error", undefined);
  settle(parts, action, "completed", Buffer.from(reply.resultJson));
}

/** Nothing that a client said leaves undecided, the text of its errors included. */
async function passReply(
  parts: GatewayParts,
  { admitAnswer }: Asker,
  { method, signal }: ClientQuestion,
  reply: ClientReply,
): Promise<ClientAnswer> {
  const isOwn = reply.kind === "error" && reply.origin === "gateway";
  // Nobody waits for the answer to a question that was taken back.
  if (admitAnswer === undefined || isOwn || signal.aborted) return answerOf(reply);
  const said = reply.kind === "result" ? reply.resultJson : JSON.stringify(errorOf(reply));
  const admitted = await admitAnswer(`{${JSON.stringify(questionKey(method, 1))}:${said}}`);
  if (admitted === undefined) return denied("the answer of the client");
  settle(parts, admitted, signal.aborted ? "not_forwarded" : "completed", undefined);
  return answerOf(reply);
}

function answerOf(reply: ClientReply): ClientAnswer {
  if (reply.kind === "result") return { kind: "result", resultJson: reply.resultJson };
  return { kind: "error", ...errorOf(reply) };
}

function errorOf({ code, message }: Extract<ClientReply, { kind: "error" }>) {
  return { error: { code, message } };
}

function denied(reason: string): ClientAnswer {
  return { kind: "error", error: { code: deniedCode, message: `Denied by policy (${reason})` } };
}
