/**
 * The one place where records become the snake_case JSON that the spool, the store and an export
 * hold: a superset of OPA's decision-log event (`decision_id`, `labels`, `bundles`, `path`, `input`,
 * `result`, `requested_by`, `timestamp`, `nd_builtin_cache`, `metrics`), so that OPA's tools read an
 * export. The input document is spliced in as the text that policy judged, never parsed again. The
 * writer's envelope (`writer`, `seq`, `previous_link`, `link`) is put in front by the spool.
 */
import { canonicalJson } from "../contract/canonical-json.ts";
import type { LayerVerdict } from "../contract/layer.ts";
import type { AdmissionRecord, DecisionRecord, OutcomeRecord } from "../contract/record.ts";
import { encodeLayer } from "./encode-layer.ts";
import { noteMembers } from "./encode-note.ts";
import type { RecordLabels } from "./encode-note.ts";
import type { EncodedRecord } from "./integrity/envelope.ts";
import { headerOf } from "./record-header.ts";
import type { Members } from "./record-header.ts";
import { toTimestamp } from "./to-timestamp.ts";

/** OPA's `path`: the decision of all layers together has no path of its own in any bundle. */
const decisionPath = "mcp_gateway/decision";

/** A record as the spool takes it. */
export function encodeRecord(record: DecisionRecord, labels: RecordLabels): EncodedRecord {
  switch (record.kind) {
    case "admission":
      return encodeAdmission(record, labels);
    case "outcome":
      return encodeWhole(outcomeMembers(record));
    case "activation":
    case "approval":
    case "admin":
    case "shadow":
      return encodeWhole(noteMembers(record, labels));
  }
}

/** The input is text already: it goes between what identifies the decision and what came of it. */
function encodeAdmission(record: AdmissionRecord, labels: RecordLabels): EncodedRecord {
  const head = headMembers(record, labels);
  const tail = tailMembers(record);
  const cache = record.ndBuiltinCacheJson;
  const kept = cache === undefined ? "" : `"nd_builtin_cache":${cache},`;
  const before = JSON.stringify(head).slice(0, -1);
  const behind = JSON.stringify(tail).slice(1);
  return {
    text: `${before},"input":${record.inputJson},${kept}${behind}`,
    header: canonicalJson(headerOf({ kind: record.kind, ...head, ...tail })),
  };
}

function encodeWhole(members: Members): EncodedRecord {
  return { text: JSON.stringify(members), header: canonicalJson(headerOf(members)) };
}

function headMembers(record: AdmissionRecord, labels: RecordLabels): Members {
  return {
    kind: record.kind,
    decision_id: record.decisionId,
    timestamp: toTimestamp(record.timeMs),
    labels,
    ...traceMembers(record.traceparent),
    tenant: record.tenant,
    agent: record.agent,
    user: record.user,
    requested_by: record.agent,
    server: record.server,
    tool: record.tool,
    exposed_name: record.exposedName,
    action_type: record.actionType,
    protocol_version: record.protocolVersion,
    path: decisionPath,
    bundles: record.answer.metadata.bundles,
    args_sha256: record.argsSha256,
  };
}

function tailMembers(record: AdmissionRecord): Members {
  return {
    result: record.answer,
    layers: record.layers.map((verdict) => timedLayer(verdict, record.timings.layerMs)),
    waivers: record.waivers,
    dropped: record.dropped,
    posture: record.posture,
    metrics: {
      timer_rego_query_eval_ns: toNanoseconds(record.timings.policyMs),
      timer_server_handler_ns: toNanoseconds(record.timings.totalMs),
    },
  };
}

function timedLayer(
  verdict: LayerVerdict,
  layerMs: AdmissionRecord["timings"]["layerMs"] = {},
): Members {
  const evalMs = layerMs[verdict.layer.name];
  const encoded = encodeLayer(verdict);
  if (evalMs === undefined) return encoded;
  return Object.assign({}, encoded, { eval_ns: toNanoseconds(evalMs) });
}

/** OPA's names for the trace that a decision belongs to. */
function traceMembers(traceparent: string | undefined): Members {
  const [, traceId, spanId] = traceparent?.split("-") ?? [];
  return traceId === undefined ? {} : { trace_id: traceId, span_id: spanId };
}

function outcomeMembers(record: OutcomeRecord): Members {
  return {
    kind: record.kind,
    decision_id: record.decisionId,
    timestamp: toTimestamp(record.timeMs),
    outcome: record.outcome,
    result_sha256: record.resultSha256,
    result_bytes: record.resultBytes,
    ...(record.obligations === undefined ? {} : { obligations: record.obligations }),
    ...(record.withheld === undefined ? {} : { withheld: record.withheld }),
    metrics: { timer_tool_call_ns: toNanoseconds(record.latencyMs) },
  };
}

function toNanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000_000);
}
