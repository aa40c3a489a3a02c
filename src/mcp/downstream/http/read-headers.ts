/**
 * The headers of a request as they were sent. Node's own view keeps the first of some repeated
 * headers and joins others, so that two readers may see two values; here a header that has to be
 * single and is not is told apart. Nothing else about a header is believed: who forwarded a request,
 * for which host or client, is never read.
 */
import type { TransportTrace } from "../../../telemetry/tracing/trace-context.ts";
import { isTraceparent, isTracestate } from "../../../telemetry/tracing/trace-context.ts";

export interface RequestHeaders {
  /** By lower-case name; several values are joined as RFC 9110 §5.3 says. */
  readonly get: (name: string) => string | undefined;
  /** True where the header was sent more than once. */
  readonly isRepeated: (name: string) => boolean;
}

/** Headers whose two values nobody could reconcile. */
const singleHeaders = [
  "host",
  "origin",
  "authorization",
  "content-type",
  "content-encoding",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "last-event-id",
] as const;

/** `raw` is Node's list of names and values in turn. */
export function readHeaders(raw: readonly string[]): RequestHeaders {
  const values = new Map<string, string>();
  let repeated: Set<string> | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    const value = raw[at + 1] ?? "";
    const earlier = values.get(name);
    if (earlier !== undefined) (repeated ??= new Set()).add(name);
    values.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return {
    get: (name) => values.get(name),
    isRepeated: (name) => repeated?.has(name) ?? false,
  };
}

/** The trace of the HTTP request; one with two `traceparent` has none (W3C Trace Context §3.2.1). */
export function readTransportTrace(headers: RequestHeaders): TransportTrace | undefined {
  const traceparent = headers.get("traceparent");
  if (!isTraceparent(traceparent)) return undefined;
  const tracestate = headers.get("tracestate");
  return { traceparent, tracestate: isTracestate(tracestate) ? tracestate : undefined };
}

/** The first header that has to be single and is not. */
export function findRepeated(headers: RequestHeaders): string | undefined {
  return singleHeaders.find((name) => headers.isRepeated(name));
}
