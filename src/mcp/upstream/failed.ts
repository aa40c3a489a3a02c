/**
 * Requests that ended without an answer, and sentences about how any of them ended.
 */
import type { UpstreamFailure, UpstreamReply } from "./upstream-connection.ts";

/** A reply that is none. */
export type FailedReply = Extract<UpstreamReply, { readonly kind: "failed" }>;

/** The largest message of a server that is kept; a larger one fails its own call. */
export const maxMessageBytes = 32 * 1024 * 1024;

export function failed(code: UpstreamFailure, message: string): FailedReply {
  return { kind: "failed", code, message };
}

export function oversize(bytes: number, maxBytes: number): FailedReply {
  const message = `the server's answer has ${bytes} bytes, more than the ${maxBytes} allowed`;
  return failed("upstream_oversize", message);
}

/** What stands in an error message; never what the server wrote itself. */
export function describeReply(reply: Exclude<UpstreamReply, { kind: "result" }>): string {
  if (reply.kind === "error") return `it answered error ${reply.error.code}`;
  return reply.code === "cancelled" ? "it did not finish in time" : reply.message;
}
