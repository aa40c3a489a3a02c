/**
 * One frame from a client, read once: bytes → strict JSON → a JSON-RPC message of a known shape.
 * From here on there is one value and one text of its arguments; nothing of the frame is forwarded.
 * Which methods exist is the method table's.
 */
import { isUtf8 } from "node:buffer";
import type { JsonObject } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import type { TransportTrace } from "../../telemetry/tracing/trace-context.ts";
import type { ClientAnswer } from "./read-client-answer.ts";
import { readClientAnswer } from "./read-client-answer.ts";
import type { JsonViolation } from "./strict-json.ts";
import { readStrictJson } from "./strict-json.ts";
import type { RequestId } from "./rpc.ts";
import { isRequestId, rpcCodes } from "./rpc.ts";

export type ClientMessage = ClientRequest | ClientNotification | ClientResponse | MalformedMessage;

export interface ClientRequest {
  readonly kind: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject;
  /** Normalised text of `params.arguments`, key order as sent. */
  readonly argumentsJson: string | undefined;
  /** The same of `params.inputResponses`. */
  readonly inputResponsesJson: string | undefined;
  /** The same of `params.task`. */
  readonly taskJson: string | undefined;
  /** Of the HTTP request that brought it, where that has a trace. */
  readonly transportTrace?: TransportTrace;
}

export interface ClientNotification {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject;
}

/** An answer to a request of the gateway's. */
export interface ClientResponse {
  readonly kind: "response";
  readonly id: RequestId;
  readonly answer: ClientAnswer;
}

export interface MalformedMessage {
  readonly kind: "malformed";
  readonly id: RequestId | null;
  /**
   * The request of the gateway's that it set out to answer. The two sides count their ids apart, so
   * such a message is answered under no id at all; who waits for it is told that nothing usable came.
   */
  readonly answers: RequestId | undefined;
  readonly code: number;
  /** For the client: may name keys that it sent. */
  readonly message: string;
  /** For the log: never holds anything of the message. */
  readonly reason: string;
  /** Where it could be read; a malformed request that is decided, or may be, is on record. */
  readonly method: string | undefined;
}

const requestMembers: ReadonlySet<string> = new Set(["jsonrpc", "id", "method", "params"]);
const captures = [
  ["params", "arguments"],
  ["params", "inputResponses"],
  ["params", "task"],
  ["result"],
] as const;

type Captured = readonly (string | undefined)[];

/** Reads one frame; a frame that breaks a rule becomes a `malformed` message with its id. */
export function readClientMessage(frame: Buffer): ClientMessage {
  if (!isUtf8(frame))
    return malformed({}, rpcCodes.parseError, "expected UTF-8 text", "invalid_utf8");
  const parsed = readStrictJson(frame.toString("utf8"), captures);
  if (parsed.violation?.code === "invalid_json") {
    const message = `expected one line of JSON: ${parsed.violation.message}`;
    return malformed({}, rpcCodes.parseError, message, "invalid_json");
  }
  const { value, violation } = parsed;
  const readable = isJsonObject(value) ? value : {};
  if (violation !== undefined) {
    return invalid(withoutDoubt(readable, violation), explain(violation), violation.code);
  }
  if (Array.isArray(value)) return invalid(readable, "batches are not accepted");
  if (!isJsonObject(value)) return invalid(readable, "expected a JSON object");
  return readEnvelope(value, parsed.captured);
}

/** Of two methods the one that is hidden may be a decided one, so that neither is believed. */
function withoutDoubt(value: JsonObject, { pointer }: JsonViolation): JsonObject {
  return pointer === "/method" ? { ...value, method: null } : value;
}

function readEnvelope(value: JsonObject, captured: Captured): ClientMessage {
  if (value["jsonrpc"] !== "2.0") return invalid(value, 'expected "jsonrpc":"2.0"');
  return "method" in value ? readCall(value, captured) : readResponse(value, captured);
}

function readCall(value: JsonObject, captured: Captured): ClientMessage {
  const { id, method, params = {} } = value;
  const [argumentsJson, inputResponsesJson, taskJson] = captured;
  const stranger = Object.keys(value).find((member) => !requestMembers.has(member));
  if (stranger !== undefined) return invalid(value, `unknown member ${JSON.stringify(stranger)}`);
  if (typeof method !== "string") return invalid(value, 'expected "method" to be a string');
  if (!isJsonObject(params)) return invalid(value, 'expected "params" to be an object');
  if (!("id" in value)) return { kind: "notification", method, params };
  if (!isRequestId(id)) return invalid(value, 'expected "id" to be a string or an integer');
  return { kind: "request", id, method, params, argumentsJson, inputResponsesJson, taskJson };
}

function readResponse(value: JsonObject, captured: Captured): ClientMessage {
  const { id } = value;
  if (!isRequestId(id)) {
    return invalid(value, 'expected a request with "method" or a response with "id"');
  }
  const answer = readClientAnswer(value, captured[3]);
  return typeof answer === "string" ? invalid(value, answer) : { kind: "response", id, answer };
}

function invalid(value: JsonObject, message: string, reason = "invalid_request"): MalformedMessage {
  return malformed(value, rpcCodes.invalidRequest, message, reason);
}

function malformed(
  value: JsonObject,
  code: number,
  message: string,
  reason: string,
): MalformedMessage {
  const { method } = value;
  const id = isRequestId(value["id"]) ? value["id"] : undefined;
  const isAnswer = !("method" in value) && ("result" in value || "error" in value);
  return {
    kind: "malformed",
    id: isAnswer ? null : (id ?? null),
    answers: isAnswer ? id : undefined,
    code,
    message,
    reason,
    method: typeof method === "string" ? method : undefined,
  };
}

function explain(violation: JsonViolation): string {
  return `${violation.code} at "${violation.pointer}": ${violation.message}`;
}
