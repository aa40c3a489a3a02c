/**
 * One frame from an upstream server: bytes → a response, request or notification. A response keeps
 * the bytes of its result as they came; its numbers are never refused, since the call has happened.
 * A frame that is none of these is `garbage` with a reason.
 */
import { isUtf8 } from "node:buffer";
import { isRecord } from "../../contract/json.ts";
import { messageOf } from "../../errors.ts";
import type { RequestId, RpcError } from "./rpc.ts";
import { isRequestId } from "./rpc.ts";
import { scanObject } from "./scan-object.ts";
import type { Span } from "./scan-object.ts";
import { maxDepth } from "./strict-json.ts";

export type ServerMessage =
  | { readonly kind: "result"; readonly id: RequestId; readonly result: RawResult }
  | { readonly kind: "error"; readonly id: RequestId; readonly error: RpcError }
  | { readonly kind: "request"; readonly id: RequestId; readonly method: string }
  | {
      readonly kind: "notification";
      readonly method: string;
      readonly params: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "garbage"; readonly id: RequestId | undefined; readonly reason: string };

/** A result object as the upstream sent it, and as it reads. */
export interface RawResult {
  readonly bytes: Buffer;
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the value of each member stands in `bytes`. */
  readonly members: ReadonlyMap<string, Span>;
}

/** Reads one frame of an upstream; never throws. */
export function readServerMessage(frame: Buffer): ServerMessage {
  if (!isUtf8(frame)) return garbage("not UTF-8");
  const value = parse(frame);
  if (!isRecord(value)) return garbage("not a JSON object");
  const id = isRequestId(value["id"]) ? value["id"] : undefined;
  const scan = scanObject(frame, maxDepth);
  if (!scan.ok) return garbage(scan.message, id);
  if (value["jsonrpc"] !== "2.0") return garbage('no "jsonrpc":"2.0"', id);
  if (typeof value["method"] === "string") return readCall(value["method"], value, id);
  if (id === undefined) return garbage("a response without an id");
  const result = scan.members.get("result");
  if (result === undefined) return readError(id, value["error"]);
  if ("error" in value) return garbage("a response with both result and error", id);
  if (!isRecord(value["result"])) return garbage("a result that is no object", id);
  const bytes = frame.subarray(result.start, result.end);
  const inner = scanObject(bytes, maxDepth);
  if (!inner.ok) return garbage(inner.message, id);
  return { kind: "result", id, result: { bytes, value: value["result"], members: inner.members } };
}

function parse(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString("utf8"));
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function readCall(
  method: string,
  value: Readonly<Record<string, unknown>>,
  id: RequestId | undefined,
): ServerMessage {
  if ("id" in value && id === undefined)
    return garbage("a request whose id is no string or integer");
  if ("result" in value || "error" in value) return garbage("both a call and a response", id);
  if (id !== undefined) return { kind: "request", id, method };
  const params = isRecord(value["params"]) ? value["params"] : {};
  return { kind: "notification", method, params };
}

function readError(id: RequestId, error: unknown): ServerMessage {
  if (!isRecord(error)) return garbage("neither a result nor an error", id);
  const { code, message, data } = error;
  if (!Number.isSafeInteger(code) || typeof code !== "number" || typeof message !== "string") {
    return garbage("an error without code and message", id);
  }
  return { kind: "error", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

function garbage(reason: string, id?: RequestId): ServerMessage {
  return { kind: "garbage", id, reason };
}
