/**
 * Requests that cannot come before policy: what does not exist, what could not be read, facts that
 * cannot be had. Each is recorded as the denial it is.
 */
import type { JsonObject } from "../../contract/json.ts";
import type { GatewayCode } from "../../contract/layer.ts";
import { actionTypeOf } from "../../mcp/wire/method-table.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import { buildRefusalInput } from "../../policy/input/build-input.ts";
import { classify } from "../../policy/input/classify.ts";
import type { ActionReply, Client } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { stampAction } from "./begin-action.ts";
import { recordAdmission } from "./record-admission.ts";
import { auditUnavailable, unknown } from "./replies.ts";
import { unavailableServers } from "./unavailable-servers.ts";

/** Answers exactly as for something hidden. */
export async function refuseUnknown(parts: GatewayParts, action: Action): Promise<ActionReply> {
  const decided = refusal(parts, action, undefined, "unknown_tool");
  const isRecorded = await recordAdmission(parts, action, undefined, decided);
  return isRecorded ? await replyUnknown(parts, action) : auditUnavailable(action);
}

/** The answer for what does not exist and for what is hidden, once it is on record. */
export async function replyUnknown(parts: GatewayParts, action: Action): Promise<ActionReply> {
  const isTool = action.type === "tool_call";
  return unknown(action, isTool ? await unavailableServers(parts, action.principal) : []);
}

/**
 * Records a decided request that broke a rule of the wire; the front answers it. `method`: where it
 * could be read.
 */
export async function refuseMalformed(
  parts: GatewayParts,
  client: Client,
  method?: string,
): Promise<void> {
  const action: Action = {
    ...stampAction(parts),
    type: (method === undefined ? undefined : actionTypeOf(method)) ?? "tool_call",
    principal: client.principal,
    claim: client.claim,
    protocolVersion: client.protocolVersion,
    asked: "",
    sent: {},
    dropped: [],
  };
  const decided = refusal(parts, action, undefined, "malformed_request");
  await recordAdmission(parts, action, undefined, decided);
}

/** A denial of the gateway itself, with an input that says as much as is known; `message`: for the client. */
export function refusal(
  parts: Pick<GatewayParts, "config">,
  action: Action,
  target: Target | undefined,
  code: GatewayCode,
  message?: string,
): Decided {
  const { agent, user } = action.principal;
  return {
    combined: gatewayDenial(action.decisionId, code, message),
    verdicts: [],
    inputJson: buildRefusalInput({
      actor: { agent, user, environment: parts.config.environment },
      client: action.claim,
      action: target?.action ?? unknownAction(action),
      sent: action.sent,
      classification: classify(target?.tool && target.server.tools.get(target.tool.name)),
      timeMs: action.timeMs,
    }),
    brings: { dataClasses: [], labels: [] },
    policyMs: 0,
  };
}

/** Of no server, under the name that the client used. */
function unknownAction({ type, asked }: Action) {
  return { type, direction: "to_server", server: "", about: aboutOf(type, asked) } as const;
}

function aboutOf(type: Action["type"], asked: string): JsonObject {
  if (asked === "") return {};
  if (type === "tool_call") return { tool: asked };
  if (type === "prompt_get") return { prompt: asked };
  return type === "resource_read" || type === "resource_subscribe" ? { uri: asked } : {};
}
