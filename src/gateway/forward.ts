/**
 * Steps 7 to 9: the call itself, its result, its outcome. A call is sent once and never again,
 * whatever becomes of it; a result that is withheld says that the call ran.
 */
import { sha256Of } from "../contract/sha256.ts";
import type { Outcome } from "../contract/record.ts";
import type { UpstreamFailure, UpstreamReply } from "../mcp/upstream/connection.ts";
import type { Call, Target } from "./call.ts";
import type { CallReply } from "./gateway.ts";
import type { GatewayParts } from "./parts.ts";
import { upstreamFailed } from "./replies.ts";

/** Makes an allowed call and settles its record. */
export async function forward(parts: GatewayParts, call: Call, target: Target): Promise<CallReply> {
  const { signal, onProgress, argumentsJson, traceparent } = call.request;
  if (signal.aborted) {
    settle(parts, call, "not_forwarded", undefined);
    return { kind: "cancelled" };
  }
  const reply = await target.upstream.callTool({
    tool: target.tool.name,
    argumentsJson,
    traceparent,
    onProgress,
    signal,
  });
  const bytes = reply.kind === "result" ? reply.result.bytes : undefined;
  parts.conversation.countBytes(bytes?.length ?? 0);
  settle(parts, call, outcomeOf(reply), bytes);
  return replyOf(call, target, reply);
}

function settle(
  { decisionLog, clock }: GatewayParts,
  call: Call,
  outcome: Outcome,
  bytes: Buffer | undefined,
): void {
  decisionLog.settle({
    kind: "outcome",
    decisionId: call.decisionId,
    timeMs: clock.nowMs(),
    outcome,
    resultSha256: bytes === undefined ? null : sha256Of(bytes),
    resultBytes: bytes?.length ?? null,
    latencyMs: clock.monotonicMs() - call.startedMs,
  });
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
      return "not_forwarded";
    case "upstream_timeout":
    case "upstream_garbage":
      return "unknown";
  }
}

function replyOf(call: Call, { server }: Target, reply: UpstreamReply): CallReply {
  if (reply.kind === "result") return { kind: "result", origin: "upstream", ...reply.result };
  if (reply.kind === "error") return { kind: "error", ...reply.error };
  if (reply.code === "cancelled") return { kind: "cancelled" };
  const message = `server "${server.id}": ${reply.message}; ${whatRan(reply.code)} (decision ${call.decisionId})`;
  return upstreamFailed(call, reply.code, message);
}

/** Says what an agent has to know before it tries again. */
function whatRan(code: UpstreamFailure): string {
  if (code === "upstream_busy") return "the call was not sent";
  const ran = code === "upstream_oversize" ? "the call ran" : "the call may have run";
  return `${ran}, so do not repeat it blindly`;
}
