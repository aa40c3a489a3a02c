/**
 * The three ways out of a call that was not made, never mixed: a denial is a tool result, the
 * client's fault is a JSON-RPC error, our own fault is -32603 with a code and the decision id.
 */
import type { CombinedDecision } from "../policy/combine.ts";
import { gatewayDenial } from "../policy/combine.ts";
import { denialResult } from "../policy/enforcement/denial-result.ts";
import type { Call } from "./call.ts";
import type { CallReply } from "./gateway.ts";

const invalidParams = -32_602;
const internalError = -32_603;

/** For a tool that does not exist and for one that the agent may not see, to the byte. */
export function unknownTool(exposedName: string): CallReply {
  return { kind: "error", code: invalidParams, message: `Unknown tool: ${exposedName}` };
}

/** The tool result of an answer that is no allow. */
export function deniedOrHeld(combined: CombinedDecision): CallReply {
  const deciding = [...combined.denials, ...combined.holds].map(({ match }) => match);
  const bytes = Buffer.from(denialResult(combined.answer, deciding));
  return { kind: "result", origin: "gateway", bytes, value: {} };
}

/** The decision could not be made durable, so the call was not made. */
export function auditUnavailable(call: Call): CallReply {
  return deniedOrHeld(gatewayDenial(call.decisionId, "audit_unavailable"));
}

/** The call left and came back with nothing that can be passed on. */
export function upstreamFailed(call: Call, code: string, message: string): CallReply {
  const data = { code, decision_id: call.decisionId };
  return { kind: "error", code: internalError, message, data };
}
