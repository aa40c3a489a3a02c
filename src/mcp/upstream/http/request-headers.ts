/**
 * Headers of the requests that the gateway makes of an MCP endpoint (MCP 2025-11-25, "Transports";
 * 2026-07-28, "Streamable HTTP"). All of them are made here from parts.
 */
import { isTraceparent, isTracestate } from "../../../telemetry/tracing/trace-context.ts";
import { encodeHeaderValue } from "../../wire/header-value.ts";
import type { OutgoingRequest, Speech } from "../carrier.ts";
import type { UpstreamRequest } from "../upstream-connection.ts";
import type { EndpointResponse } from "./endpoint.ts";

type Headers = Readonly<Record<string, string>>;

const jsonHeaders = {
  accept: "application/json, text/event-stream",
  "accept-encoding": "identity",
  "content-type": "application/json",
} as const;

/** A schema of the server's names these headers, so nothing else may be one. */
const parameterName = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]+$/i;

/** Of a request's POST. */
export function postHeaders(outgoing: OutgoingRequest, session: string | undefined): Headers {
  const { speech, wanted } = outgoing;
  const common = {
    ...messageHeaders(speech, session, wanted.method),
    ...traceHeaders(wanted),
  };
  if (speech.era === "legacy") return common;
  const parameters = Object.entries(wanted.headers ?? {})
    .filter(([name]) => parameterName.test(name))
    .map(([name, value]) => [name, encodeHeaderValue(value)] as const);
  return {
    ...Object.fromEntries(parameters),
    ...common,
    ...(wanted.name === undefined ? {} : { "mcp-name": encodeHeaderValue(wanted.name) }),
  };
}

/** What `_meta` says, for whoever stands between and reads no bodies; nothing else of it. */
function traceHeaders({ meta }: UpstreamRequest): Headers {
  const traceparent = meta?.["traceparent"];
  const tracestate = meta?.["tracestate"];
  if (!isTraceparent(traceparent)) return {};
  return { traceparent, ...(isTracestate(tracestate) ? { tracestate } : {}) };
}

/** Of the POST of any message. `method` is left out where the message is an answer. */
export function messageHeaders(
  speech: Speech,
  session: string | undefined,
  method?: string,
): Headers {
  const { era, protocolVersion } = speech;
  return {
    ...jsonHeaders,
    ...(protocolVersion === undefined ? {} : { "mcp-protocol-version": protocolVersion }),
    ...(era === "modern" && method !== undefined ? { "mcp-method": method } : {}),
    ...(era === "legacy" && session !== undefined ? { "mcp-session-id": session } : {}),
  };
}

/** Of a GET for the standing stream, or for one that is resumed. */
export function getHeaders(
  { protocolVersion }: Speech,
  session: string | undefined,
  lastEventId: string | undefined,
): Headers {
  return {
    accept: "text/event-stream",
    "accept-encoding": "identity",
    ...(protocolVersion === undefined ? {} : { "mcp-protocol-version": protocolVersion }),
    ...(session === undefined ? {} : { "mcp-session-id": session }),
    ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
  };
}

/** In lower case, without parameters. */
export function contentTypeOf({ headers }: EndpointResponse): string | undefined {
  const value = headers["content-type"];
  return typeof value === "string" ? value.split(";")[0]?.trim().toLowerCase() : undefined;
}
