/**
 * Spans as an OTLP `ExportTraceServiceRequest` in JSON: ids in hexadecimal, enumerations as numbers,
 * 64-bit numbers as text (OTLP 1.x, "JSON Protobuf Encoding").
 */
import type { EndedSpan, SpanKind, SpanLink } from "../tracing/span.ts";
import type { Resource } from "./otlp-value.ts";
import { encodeAttributes, encodeTime, scopeOf } from "./otlp-value.ts";

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
const statusError = 2;
const sampledFlag = 1;

/** The document of these spans. */
export function encodeSpans(spans: readonly EndedSpan[], resource: Resource, version: string) {
  return {
    resourceSpans: [
      {
        resource: { attributes: encodeAttributes(resource) },
        scopeSpans: [{ scope: scopeOf(version), spans: spans.map(encodeSpan) }],
      },
    ],
  };
}

function encodeSpan(span: EndedSpan) {
  const { context, parentSpanId, tracestate, attributes, errorType, events, links } = span;
  const failed = errorType === undefined ? {} : { "error.type": errorType };
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    ...(tracestate === undefined ? {} : { traceState: tracestate }),
    flags: sampledFlag,
    name: span.name,
    kind: kinds[span.kind],
    startTimeUnixNano: encodeTime(span.startMs),
    endTimeUnixNano: encodeTime(span.endMs),
    attributes: encodeAttributes({ ...attributes, ...failed }),
    events: events.map(({ name, timeMs, attributes: about }) => ({
      name,
      timeUnixNano: encodeTime(timeMs),
      attributes: encodeAttributes(about),
    })),
    ...(links.length === 0 ? {} : { links: links.map(encodeLink) }),
    status: errorType === undefined ? {} : { code: statusError },
  };
}

function encodeLink({ context, tracestate }: SpanLink) {
  const { traceId, spanId, isSampled } = context;
  const state = tracestate === undefined ? {} : { traceState: tracestate };
  return { traceId, spanId, ...state, flags: isSampled ? sampledFlag : 0 };
}
