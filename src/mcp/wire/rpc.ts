/**
 * JSON-RPC 2.0 as MCP uses it: ids, error codes, and the text of messages that the gateway itself
 * makes. Every message here is built from parts, never copied whole from the other side.
 */

export type RequestId = string | number;

/** Error codes of JSON-RPC and of MCP 2026-07-28 that the gateway answers. */
export const rpcCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  unsupportedProtocolVersion: -32_022,
} as const;

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export function encodeResult(id: RequestId, resultJson: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultJson}}`;
}

/** `id` is `null` where the request's own id could not be read (JSON-RPC 2.0 §5). */
export function encodeError(id: RequestId | null, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}

export function encodeRequest(id: RequestId, method: string, paramsJson: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${paramsJson}}`;
}

/** Without params the member is left out, as the specification's own examples do. */
export function encodeNotification(method: string, params?: object): string {
  return JSON.stringify({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
}

/** True for an id that MCP allows: a string, or an integer that a double holds exactly. */
export function isRequestId(value: unknown): value is RequestId {
  return (typeof value === "string" && value.length <= 1024) || Number.isSafeInteger(value);
}
