/**
 * Requests that cannot come before policy: what does not exist, what could not be read, facts that
 * cannot be had. Each is recorded as the denial it is.
 */
import type { GatewayCode } from "../../contract/layer.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import type { ActionReply, Client } from "../gateway.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action, Decided, Target } from "./action.ts";
import { stampAction } from "./begin-action.ts";
import { recordAdmission } from "./record-admission.ts";
import { auditUnavailable, unknown } from "./replies.ts";

/** Answers exactly as for something hidden. */
export async function refuseUnknown(parts: GatewayParts, action: Action): Promise<ActionReply> {
  const decided = refusal(parts, action, undefined, "unknown_tool");
  const isRecorded = await recordAdmission(parts, action, undefined, decided);
  return isRecorded ? unknown(action) : auditUnavailable(action);
}

/** A denial for an action whose conversation cannot be read. */
export function withoutState(parts: GatewayParts, action: Action, target: Target): Decided {
  return refusal(parts, action, target, "state_unavailable");
}

/** Records a decided request that broke a rule of the wire; the front answers it. */
export async function refuseMalformed(parts: GatewayParts, client: Client): Promise<void> {
  const action: Action = {
    ...stampAction(parts),
    type: "tool_call",
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

/** A denial of the gateway itself, with an input that says as much as is known. */
export function refusal(
  parts: GatewayParts,
  { type, principal, asked, decisionId }: Action,
  target: Target | undefined,
  code: GatewayCode,
): Decided {
  const { agent, user } = principal;
  const { environment } = parts.config;
  const action = target?.action ?? { type, direction: "to_server", server: "", tool: asked };
  return {
    combined: gatewayDenial(decisionId, code),
    verdicts: [],
    inputJson: JSON.stringify({ version: 1, phase: "call", agent, user, action, environment }),
    brings: { dataClasses: [], labels: [] },
    policyMs: 0,
  };
}
