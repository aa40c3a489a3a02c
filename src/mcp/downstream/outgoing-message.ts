/**
 * One message on its way to a client, with what its carrier has to know about it: the stream it
 * belongs to, and whether it ends a request.
 */
import type { RequestId, RpcError } from "../wire/rpc.ts";
import { encodeError, encodeNotification, encodeRequest, encodeResult } from "../wire/rpc.ts";

export interface OutgoingMessage {
  /** JSON text of one message in parts, no line end. */
  readonly parts: readonly (string | Buffer)[];
  /** The client's request that it belongs to; `undefined`: to none. */
  readonly related: RequestId | undefined;
  /** True for the answer that ends `related`. */
  readonly isAnswer: boolean;
  /** Of an answer that is an error. */
  readonly errorCode: number | undefined;
}

/** Result of the gateway's own. */
export function resultMessage(id: RequestId, result: object): OutgoingMessage {
  return answer(id, [encodeResult(id, JSON.stringify(result))]);
}

/** Result whose text is there already. */
export function rawResultMessage(id: RequestId, result: Buffer): OutgoingMessage {
  return answer(id, [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, result, "}"]);
}

/** `id` is `null` where the request's own could not be read. */
export function errorMessage(id: RequestId | null, error: RpcError): OutgoingMessage {
  return {
    parts: [encodeError(id, error)],
    related: id ?? undefined,
    isAnswer: true,
    errorCode: error.code,
  };
}

export function notificationMessage(
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  related?: RequestId,
): OutgoingMessage {
  return {
    parts: [encodeNotification(method, params)],
    related,
    isAnswer: false,
    errorCode: undefined,
  };
}

/** A request to a legacy client. */
export function requestMessage(
  id: RequestId,
  method: string,
  paramsJson: string,
  related?: RequestId,
): OutgoingMessage {
  return {
    parts: [encodeRequest(id, method, paramsJson)],
    related,
    isAnswer: false,
    errorCode: undefined,
  };
}

function answer(id: RequestId, parts: readonly (string | Buffer)[]): OutgoingMessage {
  return { parts, related: id, isAnswer: true, errorCode: undefined };
}
