/**
 * The error `URLElicitationRequired` of 2025-11-25 asks a person to open a page: an elicitation in
 * the clothes of an error. It passes where the elicitation itself would.
 */
import { isJsonObject, isRecord } from "../../contract/json.ts";
import type { RpcError } from "../../mcp/wire/rpc.ts";
import type { ActionReply } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Allowed } from "./conclude.ts";
import { decideQuestion } from "./question.ts";
import { upstreamFailed } from "./replies.ts";
import { settle } from "./settle.ts";

const urlElicitationRequired = -32_042;

/** The reply in place of such an error; `undefined` where it may pass. */
export async function refuseHiddenQuestion(
  parts: GatewayParts,
  { request, action, target }: Allowed,
  { code, data }: RpcError,
): Promise<ActionReply | undefined> {
  if (code !== urlElicitationRequired) return undefined;
  const asked = isRecord(data) && Array.isArray(data["elicitations"]) ? data["elicitations"] : [];
  for (const elicitation of asked) {
    const params = { ...(isJsonObject(elicitation) ? elicitation : {}), mode: "url" };
    const decision = await decideQuestion(parts, {
      client: request.client,
      server: target.server,
      method: "elicitation/create",
      params,
      during: target,
    });
    if (decision?.ok !== true) {
      const reason = decision?.reason ?? "unknown";
      const message = `server "${target.server.id}" wants a person to open a page, which was denied (${reason}; decision ${action.decisionId})`;
      return upstreamFailed(action, "input_refused", message);
    }
    settle(parts, decision.action, "completed", undefined);
  }
  return undefined;
}
