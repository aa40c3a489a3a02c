/**
 * A request that the front refuses before any session hears of it: an HTTP status and a JSON-RPC
 * error, without an id where the request's own is not known (Streamable HTTP, "Sending Messages").
 */
import type { ServerResponse } from "node:http";
import type { RequestId } from "../../wire/rpc.ts";
import { rpcCodes } from "../../wire/rpc.ts";
import type { ResponseHeaders } from "./answer-json.ts";
import { answerJson } from "./answer-json.ts";

export interface Refusal {
  readonly status: number;
  /** JSON-RPC error code. */
  readonly code: number;
  readonly message: string;
  readonly headers?: ResponseHeaders;
}

/** By convention of the SDKs; clients start a new session on the status alone. */
const sessionNotFoundCode = -32_001;

/** The client's fault. */
export function refusal(status: number, message: string, headers: ResponseHeaders = {}): Refusal {
  return { status, code: rpcCodes.invalidRequest, message, headers };
}

/** Not the client's fault, and worth another try. */
export function unavailable(
  status: 429 | 503,
  message: string,
  retryAfterSeconds: number,
): Refusal {
  const headers = { "Retry-After": String(retryAfterSeconds) };
  return { status, code: rpcCodes.internalError, message, headers };
}

/** The same for a session that never was, that ended, and that belongs to somebody else. */
export const unknownSession: Refusal = {
  status: 404,
  code: sessionNotFoundCode,
  message: "Session not found",
};

/** What new work hears while the gateway ends, and old work that did not end in time. */
export const gatewayEnding: Refusal = unavailable(503, "the gateway is ending", 1);

/** Answers with a refusal; `id` is that of the request where it was read. */
export function refuse(
  response: ServerResponse,
  { status, code, message, headers }: Refusal,
  shared: ResponseHeaders,
  id?: RequestId,
): void {
  const known = id === undefined ? {} : { id };
  const text = JSON.stringify({ jsonrpc: "2.0", ...known, error: { code, message } });
  answerJson(response, status, { ...shared, ...headers }, [text]);
}
