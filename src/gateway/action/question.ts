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
import type { Client } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { stampAction } from "./begin-action.ts";
import { elicitationProblem } from "./elicitation-problem.ts";
import { judge } from "./judge.ts";
import { recordAdmission } from "./record-admission.ts";
import { refusal } from "./refuse.ts";
import { presentRelatedTask, relatedTask } from "./tasks.ts";
import { isReserved } from "../reserved-members.ts";

/** A question before it is decided. */
export interface Question {
  readonly client: Client;
  readonly server: ServerConfig;
  readonly method: string;
  readonly params: JsonObject;
  /** What was being done when the server asked; `undefined` where it asked unprompted. */
  readonly during: Target | undefined;
}

export type QuestionDecision =
  /** `params` as the client gets them; settle `action` with the answer. */
  | { readonly ok: true; readonly action: Action; readonly params: JsonObject }
  | { readonly ok: false; readonly decided: Decided; readonly reason: string };

const kinds = {
  "sampling/createMessage": { type: "sampling", listed: "sampling" },
  "elicitation/create": { type: "elicitation", listed: "elicitation" },
  "roots/list": { type: "roots_list", listed: "roots" },
} as const;

/** Decides and records; `undefined` for a method that no server may ask. */
export async function decideQuestion(
  parts: GatewayParts,
  question: Question,
): Promise<QuestionDecision | undefined> {
  const kind = kindOf(question.method);
  if (kind === undefined) return undefined;
  const action = beginQuestion(parts, question, kind.type);
  const target = targetOf(question, kind.type);
  const forbidden = forbiddenBecause(question, kind.listed);
  const decided =
    forbidden === undefined
      ? await judge(parts, action, target)
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

function kindOf(method: string) {
  return Object.entries(kinds).find(([known]) => known === method)?.[1];
}

function beginQuestion(
  parts: GatewayParts,
  { client, method, params }: Question,
  type: ActionType,
): Action {
  return {
    ...stampAction(parts),
    type,
    principal: client.principal,
    claim: client.claim,
    protocolVersion: client.protocolVersion,
    asked: method,
    sent: { message: JSON.stringify(params) },
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
  listed: ServerConfig["toClient"][number],
): GatewayCode | undefined {
  if (!server.toClient.includes(listed)) return "not_offered_to_client";
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
