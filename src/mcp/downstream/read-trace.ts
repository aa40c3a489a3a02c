/**
 * Which trace a request belongs to. Its `_meta` goes before the headers of the HTTP request that brought
 * it: several messages may share one HTTP request, and a proxy may have made its headers (OpenTelemetry,
 * semantic conventions for MCP, "Context propagation"). Baggage is never read.
 */
import type { JsonObject } from "../../contract/json.ts";
import type { RequestTrace } from "../../gateway/gateway.ts";
import { isTraceparent, isTracestate } from "../../telemetry/tracing/trace-context.ts";
import type { ClientRequest } from "../wire/read-client-message.ts";

/** What is well formed of it. */
export function readTrace({ transportTrace }: ClientRequest, meta: JsonObject): RequestTrace {
  const { traceparent, tracestate } = meta;
  if (isTraceparent(traceparent)) {
    return {
      traceparent,
      tracestate: isTracestate(tracestate) ? tracestate : undefined,
      transportTrace: transportTrace && { ...transportTrace, isParent: false },
    };
  }
  return {
    traceparent: transportTrace?.traceparent,
    tracestate: undefined,
    transportTrace: transportTrace && { ...transportTrace, isParent: true },
  };
}
