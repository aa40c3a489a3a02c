/**
 * Calls that cannot come before policy: a tool that does not exist, a request that could not be
 * read, facts that cannot be had. Each is recorded as the denial it is.
 */
import type { GatewayCode } from "../contract/layer.ts";
import { gatewayDenial } from "../policy/combine.ts";
import type { Call, Decided, Target } from "./call.ts";
import type { CallReply } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import type { Addressee } from "./record-admission.ts";
import { recordAdmission } from "./record-admission.ts";
import { auditUnavailable, deniedOrHeld, unknownTool } from "./replies.ts";

const nobody: Addressee = { server: "", name: null };

/** Answers exactly as for a hidden tool. */
export async function refuseUnknown(parts: GatewayParts, call: Call): Promise<CallReply> {
  const isRecorded = await recordRefusal(parts, call, nobody, "unknown_tool");
  return isRecorded ? unknownTool(call.request.exposedName) : auditUnavailable(call);
}

/** Denies a call whose conversation cannot be read, with `state_unavailable`. */
export async function refuseWithoutState(
  parts: GatewayParts,
  call: Call,
  { tool }: Target,
): Promise<CallReply> {
  const code = "state_unavailable";
  const isRecorded = await recordRefusal(parts, call, tool, code);
  return isRecorded ? deniedOrHeld(gatewayDenial(call.decisionId, code)) : auditUnavailable(call);
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
  await recordRefusal(parts, call, nobody, "malformed_request");
}

function recordRefusal(
  parts: GatewayParts,
  call: Call,
  addressee: Addressee,
  code: GatewayCode,
): Promise<boolean> {
  const { agent, user, environment } = parts.config;
  const tool = addressee.name ?? call.request.exposedName;
  const action = { type: "tool_call", direction: "to_server", server: addressee.server, tool };
  const decided: Decided = {
    combined: gatewayDenial(call.decisionId, code),
    verdicts: [],
    inputJson: JSON.stringify({ version: 1, phase: "call", agent, user, action, environment }),
    brings: { dataClasses: [], labels: [] },
    policyMs: 0,
  };
  return recordAdmission(parts, call, addressee, decided);
}
