/**
 * The answer to a browser that asks before it sends (CORS). It comes after the checks of Host and
 * Origin, so a page that is not allowed never gets one.
 */
import type { ServerResponse } from "node:http";
import type { ResponseHeaders } from "./answer-json.ts";
import { answerEmpty } from "./answer-json.ts";
import type { RequestHeaders } from "./read-headers.ts";

const allowedHeaders: ReadonlySet<string> = new Set([
  "accept",
  "authorization",
  "content-type",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
  "traceparent",
  "tracestate",
]);
const maxAgeSeconds = "600";

/** Allows what this front reads, and no header more. */
export function answerPreflight(
  response: ServerResponse,
  headers: RequestHeaders,
  cors: ResponseHeaders,
): void {
  const wanted = (headers.get("access-control-request-headers") ?? "").toLowerCase().split(",");
  const granted = wanted
    .map((name) => name.trim())
    .filter((name) => allowedHeaders.has(name) || /^mcp-param-[\w-]{1,128}$/.test(name));
  answerEmpty(response, 204, {
    ...cors,
    Allow: "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": granted.join(", "),
    "Access-Control-Max-Age": maxAgeSeconds,
  });
}
