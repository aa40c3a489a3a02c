/**
 * Calls that never come before policy: a tool that does not exist, a request that could not be read.
 * Each is recorded as the denial it is.
 */
import type { GatewayCode } from "../contract/layer.ts";
import type { Call, Decided } from "./call.ts";
import { gatewayDenial } from "./gateway-answer.ts";
import type { CallReply } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import { recordAdmission } from "./record-admission.ts";
import { auditUnavailable, unknownTool } from "./replies.ts";

/** Answers exactly as for a hidden tool. */
export async function refuseUnknown(parts: GatewayParts, call: Call): Promise<CallReply> {
  const isRecorded = await recordRefusal(parts, call, "unknown_tool");
  return isRecorded ? unknownTool(call.request.exposedName) : auditUnavailable(call);
}

/** Records a `tools/call` that broke a rule of the wire; the front answers it. */
export async function refuseMalformed(parts: GatewayParts, protocolVersion: string): Promise<void> {
  const call: Call = {
    request: {
      exposedName: "",
      argumentsJson: "{}",
      client: { name: "", version: "" },
      protocolVersion,
      traceparent: undefined,
      dropped: [],
      onProgress: undefined,
      signal: new AbortController().signal,
    },
    decisionId: parts.newId(),
    timeMs: parts.clock.nowMs(),
    startedMs: parts.clock.monotonicMs(),
  };
  await recordRefusal(parts, call, "malformed_request");
}

function recordRefusal(parts: GatewayParts, call: Call, code: GatewayCode): Promise<boolean> {
  const { agent, user, environment } = parts.config;
  const action = { type: "tool_call", direction: "to_server", tool: call.request.exposedName };
  const decided: Decided = {
    combined: gatewayDenial(call.decisionId, code),
    verdicts: [],
    inputJson: JSON.stringify({ version: 1, phase: "call", agent, user, action, environment }),
    brings: { dataClasses: [], labels: [] },
    policyMs: 0,
  };
  return recordAdmission(parts, call, { server: "", name: null }, decided);
}
