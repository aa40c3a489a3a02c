/**
 * The three ways out of an action that was not done, never mixed: a denial is a tool result (or,
 * where the method has none, a JSON-RPC error with the decision), the client's fault is a JSON-RPC
 * error, our own fault is -32603 with a code and the decision id.
 */
import { showHidden } from "../../contract/hidden-characters.ts";
import type { CombinedDecision } from "../../policy/combine.ts";
import { gatewayDenial } from "../../policy/combine.ts";
import {
  denialError,
  denialResult,
  withheldError,
  withheldResult,
} from "../../policy/enforcement/denial-result.ts";
import type { UpstreamFailure } from "../../mcp/upstream/upstream-connection.ts";
import type { Approval } from "../../policy/approvals/approval.ts";
import type { ActionReply } from "../gateway.ts";
import type { Action } from "./action.ts";
import type { HeldAction } from "./await-approval.ts";

const invalidParams = -32_602;
const resourceNotFound = -32_002;
const internalError = -32_603;
const maxNamed = 8;
/** Of a denial; outside the ranges that JSON-RPC and MCP reserve. */
export const deniedCode = 40_300;

/** Why an allowed action came to nothing; the upstream's failures are its own. */
export type ActionFailure =
  | UpstreamFailure
  /** What the answer brings could not be remembered. */
  | "state_unavailable"
  /** The server asked for input that it does not get. */
  | "input_refused";

/**
 * For what does not exist and for what the agent may not see, to the byte. `unavailable`: servers
 * whose tools nobody knows now.
 */
export function unknown(
  { type, asked, protocolVersion }: Action,
  unavailable: readonly string[] = [],
): ActionReply {
  switch (type) {
    case "tool_call":
      return error(invalidParams, `Unknown tool: ${asked}${notListed(unavailable)}`);
    case "prompt_get":
      return error(invalidParams, `Unknown prompt: ${asked}`);
    case "resource_read":
    case "resource_subscribe": {
      const code = protocolVersion >= "2026-07-28" ? invalidParams : resourceNotFound;
      return { ...error(code, "Resource not found"), data: { uri: asked } };
    }
    case "completion":
      return error(invalidParams, `Unknown reference: ${asked}`);
    case "task_get":
    case "task_result":
    case "task_cancel":
    case "task_update":
      return error(invalidParams, "Unknown task");
    case "sampling":
    case "elicitation":
    case "roots_list":
      return error(invalidParams, "Not available");
  }
}

/** An agent should not conclude that a tool is gone while its server is only away. */
function notListed(servers: readonly string[]): string {
  if (servers.length === 0) return "";
  const named = servers.slice(0, maxNamed).join(", ");
  const more = servers.length > maxNamed ? ` and ${servers.length - maxNamed} more` : "";
  return ` (not available now, so their tools are not known: ${named}${more}; try again later)`;
}

/** What a client gets of an answer that is no allow. */
export function deniedOrHeld({ type }: Action, combined: CombinedDecision): ActionReply {
  const deciding = [...combined.denials, ...combined.holds].map(({ match }) => match);
  if (type !== "tool_call") {
    return { kind: "error", code: deniedCode, ...denialError(combined.answer, deciding) };
  }
  const bytes = Buffer.from(denialResult(combined.answer, deciding));
  return { kind: "result", origin: "gateway", bytes, value: {} };
}

/** What a client gets of a call that people did not decide about yet. */
export function heldForApproval(
  { allowed: { action }, combined }: HeldAction,
  { id, status, requirements, expires_at: expiresAt }: Approval,
): ActionReply {
  const matches = combined.holds.map(({ match }) => match);
  const told = requirements.filter((one) => one.is_disclosed && one.approved === null);
  const approvers = [...new Set(told.flatMap((one) => one.approvers))];
  const isOver = status === "expired" || status === "withdrawn";
  const notice = { id, status: isOver ? status : "pending", approvers, expiresAt } as const;
  if (action.type !== "tool_call") {
    const { message, data } = denialError(combined.answer, matches, notice);
    return { kind: "error", code: deniedCode, message, data };
  }
  const bytes = Buffer.from(denialResult(combined.answer, matches, notice));
  return { kind: "result", origin: "gateway", bytes, value: {} };
}

/** What a client gets of a call that ran and whose result it may not see. */
export function withheldReply({ type }: Action, combined: CombinedDecision): ActionReply {
  const deciding = combined.denials.map(({ match }) => match);
  if (type !== "tool_call") {
    return { kind: "error", code: deniedCode, ...withheldError(combined.answer, deciding) };
  }
  const bytes = Buffer.from(withheldResult(combined.answer, deciding));
  return { kind: "result", origin: "gateway", bytes, value: {} };
}

/** The decision could not be made durable, so nothing was done. */
export function auditUnavailable(action: Action): ActionReply {
  return deniedOrHeld(action, gatewayDenial(action.decisionId, "audit_unavailable"));
}

/** The request left and came back with nothing that can be passed on. */
export function upstreamFailed(action: Action, code: ActionFailure, message: string): ActionReply {
  const data = { code, decision_id: action.decisionId };
  // It may quote what the server wrote.
  return { kind: "error", code: internalError, message: showHidden(message, "escape"), data };
}

/** The client handed back something that does not belong to this request. */
export function invalidState(message: string): ActionReply {
  return error(invalidParams, message);
}

function error(code: number, message: string): Extract<ActionReply, { kind: "error" }> {
  return { kind: "error", code, message };
}
