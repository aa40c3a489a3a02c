/**
 * What a server asks of the client: sampling, elicitation, roots. It is decided like a call, in the
 * other direction: the operator has to list it for this server, the server's policy has to grant it,
 * and it is on record before the client sees it.
 */
import type { ServerConfig } from "../../config/config.ts";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { GatewayCode } from "../../contract/layer.ts";
import type { ActionType, PolicyAction } from "../../contract/policy-input.ts";
import { actionTypeOf } from "../../mcp/wire/method-table.ts";
import type { Client } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { stampAction } from "./begin-action.ts";
import { confirmAsker } from "./confirm-definition.ts";
import { elicitationProblem } from "./elicitation-problem.ts";
import { judge } from "./judge.ts";
import { recordAdmission } from "./record-admission.ts";
import { refusal } from "./refuse.ts";
import { presentRelatedTask, relatedTask } from "./tasks.ts";
import { textRulesOf } from "../texts/clean-members.ts";
import { cleanQuestion } from "../texts/clean-question.ts";
import { isReserved } from "../../contract/reserved-key.ts";

/** A question before it is decided. */
export interface Question {
  readonly client: Client;
  readonly server: ServerConfig;
  readonly method: string;
  readonly params: JsonObject;
  /** What was being done when the server asked; `undefined` where it asked unprompted. */
  readonly during: Target | undefined;
  /** What the client answered, where that is decided; JSON text, by the question's key. */
  readonly responsesJson?: string | undefined;
}

export type QuestionDecision =
  /** `params` as the client gets them; settle `action` with the answer. */
  | { readonly ok: true; readonly action: Action; readonly params: JsonObject }
  | { readonly ok: false; readonly decided: Decided; readonly reason: string };

type QuestionName = ServerConfig["toClient"][number];

/** Of one answer of a server; of more, none is decided. */
export const maxQuestionsAtOnce = 64;

/** As what the operator lists a question, and the client declares that it can answer it. */
const questionNames: ReadonlyMap<string, QuestionName> = new Map([
  ["sampling/createMessage", "sampling"],
  ["elicitation/create", "elicitation"],
  ["roots/list", "roots"],
]);

/** Decides and records; `undefined` for a method that no server may ask. */
export async function decideQuestion(
  parts: GatewayParts,
  asked: Question,
): Promise<QuestionDecision | undefined> {
  const { client } = asked;
  const name = questionNames.get(asked.method);
  const type = actionTypeOf(asked.method);
  if (name === undefined || type === undefined) return undefined;
  const params = cleanQuestion(textRulesOf(asked.server), asked.params);
  const question = { ...asked, params: params ?? asked.params };
  const forbidden = forbiddenBecause(question, name) ?? (params ? undefined : "hidden_characters");
  const action = beginQuestion(parts, question, type, forbidden);
  const target = targetOf(question, type);
  const decided =
    forbidden === undefined
      ? await confirmAsker(parts, client, action, target, await judge(parts, action, target))
      : refusal(parts, action, target, forbidden);
  const isRecorded = await recordAdmission(parts, action, target, decided);
  if (isRecorded && decided.combined.answer.allow && !decided.combined.hidden) {
    return { ok: true, action, params: presentQuestion(parts, question) };
  }
  const reason = isRecorded ? decided.combined.answer.reasons.join(", ") : "audit_unavailable";
  parts.log.info(
    { server: question.server.id, method: question.method, reason },
    "request of a server to the client refused",
  );
  return { ok: false, decided, reason };
}

/** True where the client said that it can be asked this. */
export function isDeclared(
  capabilities: JsonObject,
  method: string,
  { mode }: JsonObject = {},
): boolean {
  const name = questionNames.get(method);
  const declared = name === undefined ? undefined : capabilities[name];
  if (declared === undefined) return false;
  // Without sub-members it is forms (MCP 2025-11-25, "Elicitation Capabilities").
  return mode !== "url" || (isJsonObject(declared) && declared["url"] !== undefined);
}

function beginQuestion(
  parts: GatewayParts,
  { client, method, params, responsesJson }: Question,
  type: ActionType,
  forbidden: GatewayCode | undefined,
): Action {
  const message = JSON.stringify(params);
  const words = {
    message,
    ...(responsesJson === undefined ? {} : { input_responses: responsesJson }),
  };
  return {
    ...stampAction(parts),
    type,
    principal: client.principal,
    claim: client.claim,
    protocolVersion: client.protocolVersion,
    asked: method,
    // A server must not fill the record with what nobody wanted to hear.
    sent: forbidden === "not_offered_to_client" ? {} : words,
    dropped: [],
  };
}

function targetOf({ server, method, during }: Question, type: ActionType): Target {
  const { region, external } = server;
  const action: PolicyAction = {
    type,
    direction: "to_client",
    server: server.id,
    about: during?.tool === undefined ? {} : { tool: during.tool.name },
    destination: { region, external },
  };
  return { server, name: method, tool: undefined, action, seenAs: during?.seenAs ?? action };
}

function forbiddenBecause(
  { server, method, params }: Question,
  name: QuestionName,
): GatewayCode | undefined {
  if (!server.toClient.includes(name)) return "not_offered_to_client";
  if (method !== "elicitation/create") return undefined;
  return elicitationProblem(params) === undefined ? undefined : "unsafe_elicitation";
}

/**
 * People have to see which server asks them, as long as its tools are not passed off as ours. A
 * progress token of the server's would name nothing at the client. What the client knows of other
 * servers is not the server's business: to the client, this server and all servers are the gateway.
 */
function presentQuestion(
  parts: GatewayParts,
  { client, server, method, params: asked }: Question,
): JsonObject {
  const { _meta: meta, includeContext: _, ...rest } = asked;
  const { progressToken: __, [relatedTask]: related, ...said } = isJsonObject(meta) ? meta : {};
  const task = presentRelatedTask(parts, client.principal.key, server.id, related);
  const kept = [
    ...Object.entries(said).filter(([key]) => !isReserved(key)),
    ...(task === undefined ? [] : [[relatedTask, task] as const]),
  ];
  const params = kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
  const { message } = params;
  if (method !== "elicitation/create" || server.naming === "bare") return params;
  return typeof message === "string" ? { ...params, message: `[${server.id}] ${message}` } : params;
}
