/**
 * The error `URLElicitationRequired` of 2025-11-25 asks a person to open a page: an elicitation in
 * the clothes of an error. It passes where the elicitation itself would.
 */
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject, isRecord } from "../../contract/json.ts";
import type { RpcError } from "../../mcp/wire/rpc.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Allowed } from "./conclude.ts";
import { decideQuestion, isDeclared, maxQuestionsAtOnce } from "./question.ts";
import { upstreamFailed } from "./replies.ts";
import { settle } from "./settle.ts";

const urlElicitationRequired = -32_042;

/** The reply for such an error, made of what was judged; `undefined` for any other error. */
export async function judgeHiddenQuestion(
  parts: GatewayParts,
  { request, action, target }: Allowed,
  { code, message: said, data }: RpcError,
): Promise<ActionReply | undefined> {
  if (code !== urlElicitationRequired) return undefined;
  const listed: unknown = isRecord(data) ? data["elicitations"] : undefined;
  // Without a list there is nothing to judge, and so nothing to pass.
  const asked: readonly unknown[] = Array.isArray(listed) && listed.length > 0 ? listed : [{}];
  if (asked.length > maxQuestionsAtOnce) {
    const message = `server "${target.server.id}" wants a person to open more than ${maxQuestionsAtOnce} pages (decision ${action.decisionId})`;
    return upstreamFailed(action, "input_refused", message);
  }
  const elicitations: JsonObject[] = [];
  for (const elicitation of asked) {
    const params = { ...(isJsonObject(elicitation) ? elicitation : {}), mode: "url" };
    const decision = await decideQuestion(parts, {
      client: request.client,
      server: target.server,
      method: "elicitation/create",
      params,
      during: target,
    });
    if (
      decision?.ok === true &&
      !isDeclared(request.client.capabilities, "elicitation/create", params)
    ) {
      settle(parts, decision.action, "not_forwarded", undefined);
      const message = `server "${target.server.id}" wants a person to open a page, which this client cannot do (decision ${action.decisionId})`;
      return upstreamFailed(action, "input_refused", message);
    }
    if (decision?.ok !== true) {
      const reason = decision?.reason ?? "unknown";
      const message = `server "${target.server.id}" wants a person to open a page, which was denied (${reason}; decision ${action.decisionId})`;
      return upstreamFailed(action, "input_refused", message);
    }
    settle(parts, decision.action, "completed", undefined);
    elicitations.push(decision.params);
  }
  return { kind: "error", code, message: said, data: { elicitations } };
}
