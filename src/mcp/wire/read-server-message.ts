/**
 * One frame from an upstream server: bytes → a response, request or notification. A response keeps
 * the bytes of its result as they came; its numbers are never refused, since the call has happened.
 * A frame that is none of these is `garbage` with a reason. A request whose params cannot be put
 * before policy is told from garbage, because its id is the server's own and answers nothing.
 */
import { isUtf8 } from "node:buffer";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject, isRecord } from "../../contract/json.ts";
import { messageOf } from "../../errors.ts";
import type { RequestId, RpcError } from "./rpc.ts";
import { isRequestId } from "./rpc.ts";
import { scanObject } from "./scan-object.ts";
import type { Span } from "./scan-object.ts";
import { maxDepth } from "./strict-json.ts";

export type ServerMessage =
  | { readonly kind: "result"; readonly id: RequestId; readonly result: RawResult }
  | { readonly kind: "error"; readonly id: RequestId; readonly error: RpcError }
  | {
      readonly kind: "request";
      readonly id: RequestId;
      readonly method: string;
      readonly params: JsonObject;
      /** Length of the frame. */
      readonly bytes: number;
    }
  | { readonly kind: "bad_request"; readonly id: RequestId; readonly reason: string }
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
  const isResponse = "result" in value || "error" in value;
  const unfit = "method" in value && !isResponse ? badRequest : garbage;
  const scan = scanObject(frame, maxDepth);
  if (!scan.ok) return unfit(scan.message, id);
  if (value["jsonrpc"] !== "2.0") return unfit('no "jsonrpc":"2.0"', id);
  if (typeof value["method"] === "string") {
    return isResponse
      ? garbage("both a call and a response", id)
      : readCall(value["method"], value, id, frame.length);
  }
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
  bytes: number,
): ServerMessage {
  if ("id" in value && id === undefined)
    return garbage("a request whose id is no string or integer");
  const params = value["params"] ?? {};
  if (id === undefined) {
    return { kind: "notification", method, params: isRecord(params) ? params : {} };
  }
  if (!isJsonObject(params)) return badRequest("params that are no object", id);
  if (hasForbiddenKey(params)) return badRequest("a key __proto__", id);
  return { kind: "request", id, method, params, bytes };
}

/** Depth is bounded already. */
function hasForbiddenKey(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasForbiddenKey);
  if (!isRecord(value)) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasForbiddenKey);
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

function badRequest(reason: string, id?: RequestId): ServerMessage {
  return id === undefined ? garbage(reason) : { kind: "bad_request", id, reason };
}
