/**
 * Which conversation a request belongs to, as its sender says it in `_meta`. It counts where the
 * operator trusts the agent to tell its conversations apart (`trusted_runtimes`); of anybody else it is
 * dropped and on record as that. What a trusted runtime says and nobody can read is refused: the request
 * would be decided with the facts of another conversation.
 */
import { isRecord } from "../../contract/json.ts";
import { matchesPattern } from "../../contract/name-pattern.ts";
import type { Principal } from "../../contract/principal.ts";
import { conversationMember, conversationPointer } from "../../contract/reserved-key.ts";
import type {
  ConversationCounts,
  VouchedConversation,
} from "../../contract/vouched-conversation.ts";
import {
  isConversationId,
  maxConversationIdLength,
  vouchedConversation,
} from "../../contract/vouched-conversation.ts";
import { rpcCodes } from "../../mcp/wire/rpc.ts";
import type { ActionReply, ActionRequest } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import { beginAction } from "./begin-action.ts";
import { recordAdmission } from "./record-admission.ts";
import { refusal } from "./refuse.ts";
import { auditUnavailable } from "./replies.ts";

export type TakenVouch =
  | { readonly ok: true; readonly request: ActionRequest }
  | { readonly ok: false; readonly reply: ActionReply };

/** The request as one of the conversation that its sender may name; never rejects. */
export async function takeVouch(parts: GatewayParts, asked: ActionRequest): Promise<TakenVouch> {
  const { saidConversation: said, ...request } = asked;
  const { client } = request;
  const { principal } = client;
  if (said === undefined || !isTrusted(parts, principal)) return { ok: true, request };
  const read = readVouch(said, principal);
  if (typeof read === "string") return { ok: false, reply: await refuse(parts, request, read) };
  const dropped = request.dropped.filter((pointer) => pointer !== conversationPointer);
  const vouched = { ...client, principal: { ...principal, conversation: read } };
  return { ok: true, request: { ...request, dropped, client: vouched, hearer: client } };
}

function isTrusted({ config }: GatewayParts, { agent }: Principal): boolean {
  if (!agent.authenticated) return false;
  return config.trustedRuntimes.some((pattern) => matchesPattern(pattern, agent.id));
}

/** What is wrong with it as text. */
function readVouch(said: unknown, { key, conversation }: Principal): VouchedConversation | string {
  const place = `params._meta["${conversationMember}"]`;
  if (!isRecord(said)) return `expected ${place} to be an object`;
  const { id, turn_count: turns, cumulative_tokens: tokens, ...others } = said;
  if (!isConversationId(id)) {
    return `expected ${place}.id to be a string of 1 to ${maxConversationIdLength} characters without control characters`;
  }
  const least = readCounts(turns, tokens);
  if (least === undefined) {
    return `expected turn_count and cumulative_tokens in ${place} to be whole numbers from 0 to ${Number.MAX_SAFE_INTEGER}`;
  }
  if (Object.keys(others).length > 0) {
    return `expected ${place} to have id, turn_count and cumulative_tokens alone`;
  }
  // A runtime may count in the conversation that the token names, and name no other.
  if (conversation !== undefined && conversation.id !== id) {
    return `expected ${place}.id to be the conversation of the token`;
  }
  return vouchedConversation(key, id, least);
}

function readCounts(turns: unknown, tokens: unknown): ConversationCounts | undefined {
  const counts = { turns: turns ?? 0, tokens: tokens ?? 0 };
  if (!isCount(counts.turns) || !isCount(counts.tokens)) return undefined;
  return { turns: counts.turns, tokens: counts.tokens };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

async function refuse(
  parts: GatewayParts,
  request: ActionRequest,
  message: string,
): Promise<ActionReply> {
  const action = beginAction(parts, request);
  const decided = refusal(parts, action, undefined, "malformed_request");
  const isRecorded = await recordAdmission(parts, action, undefined, decided);
  if (!isRecorded) return auditUnavailable(action);
  return { kind: "error", code: rpcCodes.invalidParams, message };
}
