/**
 * JSON-RPC with one upstream over its input and output: ids, deadlines, progress, cancellation. It
 * promises that each request ends exactly once, whatever the upstream does: garbage, a late or
 * second answer, an oversize message, death. Every message it sends is built here from parts.
 */
import type { Readable, Writable } from "node:stream";
import type { Log } from "../../contract/ambient.ts";
import type { CallProgress } from "../../contract/progress.ts";
import { findOversizeId } from "../wire/find-oversize-id.ts";
import type { OversizeFrame } from "../wire/read-frames.ts";
import { createFrameReader } from "../wire/read-frames.ts";
import { dispositionOf } from "../wire/method-table.ts";
import type { RawResult, ServerMessage } from "../wire/read-server-message.ts";
import { readServerMessage } from "../wire/read-server-message.ts";
import type { RequestId, RpcError } from "../wire/rpc.ts";
import {
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  rpcCodes,
} from "../wire/rpc.ts";

/** How a request to an upstream ended. */
export type UpstreamReply =
  | { readonly kind: "result"; readonly result: RawResult }
  | { readonly kind: "error"; readonly error: RpcError }
  | { readonly kind: "failed"; readonly code: UpstreamFailure; readonly message: string };

export type UpstreamFailure =
  | "upstream_lost"
  | "upstream_timeout"
  | "upstream_oversize"
  | "upstream_garbage"
  | "upstream_busy"
  | "cancelled";

export interface UpstreamRequest {
  readonly method: string;
  /** Builds the params for the id that the request got, which is also its progress token. */
  readonly paramsJson: (id: number) => string;
  readonly timeoutMs: number;
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectionDeps {
  readonly input: Writable;
  readonly output: Readable;
  readonly maxMessageBytes: number;
  readonly log: Log;
  readonly onToolsChanged: () => void;
}

interface Pending {
  readonly end: (reply: UpstreamReply) => void;
  readonly onProgress: ((progress: CallProgress) => void) | undefined;
}

const maxProgressMessageLength = 4096;
/** What a server may leave unread before it gets no more. */
const maxUnreadBytes = 8 * 1024 * 1024;

/** Speaks over the given streams; the caller owns them and says when they are lost. */
export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #pending = new Map<RequestId, Pending>();
  #lostBecause: string | undefined;
  #nextId = 1;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    const read = createFrameReader(
      { maxBytes: deps.maxMessageBytes },
      {
        onFrame: (frame) => this.#receive(readServerMessage(frame)),
        onOversize: (frame) => this.#receiveOversize(frame),
      },
    );
    deps.output.on("data", (chunk: Buffer) => read(chunk));
    deps.output.on("error", (error) => this.lose(error.message));
  }

  /** Sends a request; resolves exactly once and never rejects. */
  request(wanted: UpstreamRequest): Promise<UpstreamReply> {
    if (this.#lostBecause !== undefined) {
      return Promise.resolve(failed("upstream_lost", this.#lostBecause));
    }
    if (this.#deps.input.writableLength > maxUnreadBytes) {
      const message = "the server does not read what it is sent";
      return Promise.resolve(failed("upstream_busy", message));
    }
    if (wanted.signal?.aborted === true) return Promise.resolve(failed("cancelled", "cancelled"));
    return new Promise((resolve) => this.#open(wanted, resolve));
  }

  /** Sends a notification without params. */
  notify(method: string): void {
    this.#send(encodeNotification(method));
  }

  /** Ends every open request with `upstream_lost`; later ones end at once. */
  lose(reason: string): void {
    this.#lostBecause ??= reason;
    for (const open of this.#pending.values()) open.end(failed("upstream_lost", reason));
  }

  #open(wanted: UpstreamRequest, resolve: (reply: UpstreamReply) => void): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const end = (reply: UpstreamReply): void => {
      if (!this.#pending.delete(id)) return;
      clearTimeout(timer);
      wanted.signal?.removeEventListener("abort", abort);
      resolve(reply);
    };
    const giveUp = (code: "cancelled" | "upstream_timeout", message: string): void => {
      const params = { requestId: id, reason: message };
      this.#send(encodeNotification("notifications/cancelled", params));
      end(failed(code, message));
    };
    const abort = (): void => giveUp("cancelled", "cancelled by the client");
    const timer = setTimeout(
      () => giveUp("upstream_timeout", `no answer within ${wanted.timeoutMs} ms`),
      wanted.timeoutMs,
    );
    wanted.signal?.addEventListener("abort", abort, { once: true });
    this.#pending.set(id, { end, onProgress: wanted.onProgress });
    this.#send(encodeRequest(id, wanted.method, wanted.paramsJson(id)));
  }

  #receive(message: ServerMessage): void {
    switch (message.kind) {
      case "result":
        this.#settle(message.id, { kind: "result", result: message.result });
        return;
      case "error":
        this.#settle(message.id, { kind: "error", error: message.error });
        return;
      case "request":
        this.#answer(message.id, message.method);
        return;
      case "notification":
        this.#take(message.method, message.params);
        return;
      case "garbage":
        this.#deps.log.warn({ reason: message.reason }, "upstream sent what is no message");
        if (message.id === undefined) return;
        this.#settle(message.id, failed("upstream_garbage", "the server's answer was malformed"));
    }
  }

  #settle(id: RequestId, reply: UpstreamReply): void {
    const open = this.#pending.get(id);
    if (open === undefined) this.#deps.log.debug({ id }, "upstream answer without an open request");
    else open.end(reply);
  }

  #answer(id: RequestId, method: string): void {
    if (dispositionOf("serverRequests", method, "legacy") === "local") {
      this.#send(encodeResult(id, "{}"));
      return;
    }
    this.#deps.log.info({ method }, "request of an upstream refused");
    this.#send(encodeError(id, { code: rpcCodes.methodNotFound, message: "Method not found" }));
  }

  #take(method: string, params: Readonly<Record<string, unknown>>): void {
    if (dispositionOf("serverNotifications", method, "legacy") === "refuse") {
      this.#deps.log.debug({ method }, "notification of an upstream dropped");
    } else if (method === "notifications/progress") {
      this.#passProgress(params);
    } else {
      this.#deps.onToolsChanged();
    }
  }

  #passProgress(params: Readonly<Record<string, unknown>>): void {
    const { progressToken, progress, total, message } = params;
    const open = typeof progressToken === "number" ? this.#pending.get(progressToken) : undefined;
    if (open?.onProgress === undefined || typeof progress !== "number") return;
    open.onProgress({
      progress,
      ...(typeof total === "number" ? { total } : {}),
      ...(typeof message === "string"
        ? { message: message.slice(0, maxProgressMessageLength) }
        : {}),
    });
  }

  #receiveOversize(frame: OversizeFrame): void {
    const id = findOversizeId(frame);
    this.#deps.log.warn({ id, bytes: frame.bytes }, "upstream message over the size limit dropped");
    if (id === undefined) return;
    const message = `the server's answer has ${frame.bytes} bytes, more than the ${this.#deps.maxMessageBytes} allowed`;
    this.#settle(id, failed("upstream_oversize", message));
  }

  #send(text: string): void {
    if (this.#lostBecause === undefined) this.#deps.input.write(`${text}\n`);
  }
}

function failed(code: UpstreamFailure, message: string): UpstreamReply {
  return { kind: "failed", code, message };
}
