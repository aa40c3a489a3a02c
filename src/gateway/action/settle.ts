/**
 * Step 9: the outcome record of an action that was allowed.
 */
import type { Outcome } from "../../contract/record.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { UpstreamReply } from "../../mcp/upstream/upstream-connection.ts";
import type { GatewayParts } from "../parts.ts";
import type { Action } from "./action.ts";
import type { ResultReport } from "./result-report.ts";

/** Appends the outcome; `bytes` are the result's, as they came. */
export function settle(
  { decisionLog, clock, usage }: GatewayParts,
  action: Action,
  outcome: Outcome,
  bytes: Uint8Array | undefined,
  { obligations, reasons }: Partial<ResultReport> = {},
): void {
  usage.settle(action.decisionId, outcome, bytes?.length);
  decisionLog.settle({
    kind: "outcome",
    decisionId: action.decisionId,
    timeMs: clock.nowMs(),
    outcome,
    resultSha256: bytes === undefined ? null : sha256Of(bytes),
    resultBytes: bytes?.length ?? null,
    latencyMs: clock.monotonicMs() - action.startedMs,
    ...(obligations === undefined ? {} : { obligations }),
    ...(reasons === undefined ? {} : { withheld: reasons }),
  });
}

/** Settles what an upstream answered, and whether the client gets it; returns what it came to. */
export function settleReply(
  parts: GatewayParts,
  action: Action,
  reply: UpstreamReply,
  report: ResultReport,
): Outcome {
  const bytes = reply.kind === "result" ? reply.result.bytes : undefined;
  parts.conversations.of(action.principal).countBytes(bytes?.length ?? 0);
  const outcome = report.isShown ? outcomeOf(reply) : "completed_withheld";
  settle(parts, action, outcome, bytes, report);
  return outcome;
}

function outcomeOf(reply: UpstreamReply): Outcome {
  if (reply.kind === "error") return "tool_error";
  if (reply.kind === "result") {
    return reply.result.value["isError"] === true ? "tool_error" : "completed";
  }
  switch (reply.code) {
    case "cancelled":
      return "cancelled";
    case "upstream_lost":
      return "upstream_lost";
    case "upstream_oversize":
      return "completed_withheld";
    case "upstream_busy":
    case "upstream_unavailable":
    case "upstream_unauthorized":
      return reply.wasSent === true ? "unknown" : "not_forwarded";
    case "upstream_timeout":
    case "upstream_garbage":
      return "unknown";
  }
}
