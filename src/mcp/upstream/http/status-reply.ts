/**
 * What an HTTP status other than 200 means for the request that got it. The server's own JSON-RPC
 * error passes; of anything else only the status is told.
 */
import { isRecord } from "../../../contract/json.ts";
import type { RpcError } from "../../wire/rpc.ts";
import { failed } from "../failed.ts";
import type { UpstreamReply } from "../upstream-connection.ts";
import type { EndpointResponse } from "./endpoint.ts";
import { readBody } from "./read-body.ts";

export interface StatusReply {
  readonly reply: Exclude<UpstreamReply, { readonly kind: "result" }>;
  /** The server does not know the session that the request was part of. */
  readonly isSessionLost: boolean;
}

const maxErrorBytes = 1024 * 1024;
/** What SDK 1.x servers answer, with status 400, to a session of their former life. */
const unknownSession = /session|not initialized/i;
const legacyServerError = -32_000;

/** Reads the body to its end, within limits. */
export async function replyOfStatus(
  response: EndpointResponse,
  hasSession: boolean,
): Promise<StatusReply> {
  const { statusCode: status } = response;
  const body = await readBody(response.body, maxErrorBytes);
  const error = body.kind === "read" ? readRpcError(body.bytes) : undefined;
  if (hasSession && isSessionLost(status, error)) {
    const reply = failed("upstream_lost", "the server does not know the session any more");
    return { reply, isSessionLost: true };
  }
  return { reply: replyOf(status, error), isSessionLost: false };
}

function isSessionLost(status: number, error: RpcError | undefined): boolean {
  if (status === 404) return true;
  if (status !== 400 || error?.code !== legacyServerError) return false;
  return unknownSession.test(error.message);
}

function replyOf(status: number, error: RpcError | undefined): StatusReply["reply"] {
  const said = `it answered with HTTP status ${status}`;
  if (status >= 500) return failed("upstream_lost", said);
  if (status >= 300 && status < 400) {
    return failed("upstream_garbage", `${said}, a redirect, which is not followed`);
  }
  if (error !== undefined) return { kind: "error", error };
  if (status === 429) return { ...failed("upstream_busy", said), wasSent: true };
  return failed("upstream_garbage", status >= 400 ? said : `${said} and without an answer`);
}

/** The error of a JSON-RPC response, whose id may be missing where the request was not read. */
function readRpcError(bytes: Buffer): RpcError | undefined {
  const value = parse(bytes);
  const error = isRecord(value) ? value["error"] : undefined;
  if (!isRecord(error)) return undefined;
  const { code, message, data } = error;
  if (typeof code !== "number" || !Number.isSafeInteger(code)) return undefined;
  if (typeof message !== "string") return undefined;
  return { code, message, ...(data === undefined ? {} : { data }) };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
