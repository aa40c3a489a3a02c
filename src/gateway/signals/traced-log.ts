/**
 * The span of one decision, made of its record when that is durable: an INTERNAL span within that of
 * its request, with an event for each layer. What the gateway knows by then it also tells the span of
 * the request: the decision's id, and the name of a tool or prompt that exists.
 */
import type { AdmissionRecord, DecisionLog } from "../../contract/record.ts";
import type { Attributes, OpenSpan } from "../../telemetry/tracing/span.ts";
import type { Tracer } from "../../telemetry/tracing/tracer.ts";

export const decisionAttribute = "mcp_gateway.decision_id";

/** `log` with a span for each decision of a traced request. */
export function tracedLog(log: DecisionLog, tracer: Tracer): DecisionLog {
  return {
    ...log,
    admit: async (record) => {
      await log.admit(record);
      const request = tracer.openOf(record.traceparent);
      if (request !== undefined) addDecision(tracer, request, record);
    },
  };
}

function addDecision(tracer: Tracer, request: OpenSpan, record: AdmissionRecord): void {
  const { answer, server, timeMs } = record;
  const about = { [decisionAttribute]: record.decisionId, "mcp_gateway.server": server };
  request.set({ ...about, "mcp_gateway.effect": answer.effect, ...subjectOf(record) });
  const name = nameOf(record);
  if (name !== undefined) request.target(name);
  const span = tracer.within(request, {
    kind: "internal",
    name: "mcp_gateway.decide",
    startMs: timeMs,
    attributes: {
      ...about,
      "mcp_gateway.effect": answer.effect,
      "mcp_gateway.enforced": answer.enforced,
      "mcp_gateway.reasons": answer.reasons,
      "mcp_gateway.matched_rules": answer.metadata.matched_rules,
      "mcp_gateway.policy_version": answer.metadata.policy_version,
    },
  });
  for (const event of layerEvents(record)) span.event(event);
  span.end();
}

/** Layers run one after the other, at the end of what came before the record. */
function layerEvents({ timeMs, timings, layers }: AdmissionRecord) {
  let atMs = timeMs + Math.max(0, timings.totalMs - timings.policyMs);
  return layers.map((verdict) => {
    const { name, kind, revision } = verdict.layer;
    const tookMs = timings.layerMs?.[name] ?? 0;
    atMs += tookMs;
    const said = verdict.ok ? {} : { "mcp_gateway.layer.failure": verdict.code };
    const attributes: Attributes = {
      "mcp_gateway.layer.name": name,
      "mcp_gateway.layer.kind": kind,
      "mcp_gateway.layer.revision": revision,
      "mcp_gateway.layer.duration_ms": tookMs,
      ...said,
    };
    return { name: "layer", timeMs: atMs, attributes };
  });
}

function subjectOf(record: AdmissionRecord): Attributes {
  const name = nameOf(record);
  if (name === undefined) return {};
  return record.actionType === "tool_call"
    ? { "gen_ai.tool.name": name }
    : { "gen_ai.prompt.name": name };
}

/** Of what was found; what names nothing could say anything. */
function nameOf({ actionType, tool, server, exposedName }: AdmissionRecord): string | undefined {
  const isKnown = actionType === "tool_call" ? tool !== null : actionType === "prompt_get";
  return isKnown && server !== "" ? exposedName : undefined;
}
