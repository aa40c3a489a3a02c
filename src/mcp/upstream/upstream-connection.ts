/**
 * One open connection to an upstream server, whatever carries it (stdio, Streamable HTTP) and
 * whichever era it speaks. Everything that is sent is built here from parts; results come back as
 * the bytes they were.
 */
import type { JsonObject } from "../../contract/json.ts";
import type { CallProgress } from "../../contract/progress.ts";
import type { Era } from "../wire/method-table.ts";
import type { RawResult } from "../wire/read-server-message.ts";
import type { RpcError } from "../wire/rpc.ts";

/** How a request to an upstream ended. */
export type UpstreamReply =
  | { readonly kind: "result"; readonly result: RawResult }
  | { readonly kind: "error"; readonly error: RpcError }
  | {
      readonly kind: "failed";
      readonly code: UpstreamFailure;
      readonly message: string;
      /** The server itself turned the request away, whatever the code says. */
      readonly wasSent?: true;
    };

export type UpstreamFailure =
  /** It ended, or the connection broke, after the request may have left. */
  | "upstream_lost"
  | "upstream_timeout"
  | "upstream_oversize"
  | "upstream_garbage"
  /** Nothing was sent: too much is open or unread. */
  | "upstream_busy"
  /** Nothing was sent: it cannot be started or reached, or its circuit breaker is open. */
  | "upstream_unavailable"
  /** Nothing was sent: it wants authorization that the gateway does not have. */
  | "upstream_unauthorized"
  | "cancelled";

/** The answer to a request that an upstream made of the client. */
export type ClientAnswer =
  | { readonly kind: "result"; readonly resultJson: string }
  | { readonly kind: "error"; readonly error: RpcError };

/** A request of a legacy upstream to the client: sampling, elicitation, roots. */
export interface ServerRequest {
  readonly method: string;
  readonly params: JsonObject;
  /** False where it names no request and may be about one of several. */
  readonly isAttributed: boolean;
  /** Aborts when the upstream takes its request back, or is lost. */
  readonly signal: AbortSignal;
}

export interface ServerNotification {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Who hears what an upstream says; for one request, or for all that belongs to none. */
export interface UpstreamListener {
  /** Everything but progress, which goes to `onProgress`. */
  readonly onNotification?: ((notification: ServerNotification) => void) | undefined;
  /** Without it a server's request is answered with "method not found". */
  readonly onRequest?: ((request: ServerRequest) => Promise<ClientAnswer>) | undefined;
}

export interface UpstreamRequest extends UpstreamListener {
  readonly method: string;
  /** Members of params as JSON text, sent as they are; `_meta` is not among them. */
  readonly params: Readonly<Record<string, string>>;
  /** Members of `_meta`. The connection adds its progress token and, in the modern era, the envelope. */
  readonly meta?: JsonObject | undefined;
  /** Modern era: what the envelope declares; default `{}`. */
  readonly clientCapabilities?: JsonObject | undefined;
  /** Modern HTTP: value of `Mcp-Name`, not yet encoded. */
  readonly name?: string | undefined;
  /** Modern HTTP: `Mcp-Param-…` headers by full name, not yet encoded. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `Infinity` for a request that stays open (`subscriptions/listen`). Progress starts it anew. */
  readonly timeoutMs: number;
  readonly onProgress?: ((progress: CallProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * What has to end before `mayGoTo` can tell, of a connection that opened meanwhile; waited for
   * within the time of the request. `undefined` where nothing has to.
   */
  readonly known?: ((connection: UpstreamConnection) => Promise<void> | undefined) | undefined;
  /** Asked right before it is sent; where it says no the request fails with `upstream_unavailable`. */
  readonly mayGoTo?: ((connection: UpstreamConnection) => boolean) | undefined;
}

/** What a server said of itself when it was connected. */
export interface UpstreamGreeting {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions: string | undefined;
}

export interface UpstreamConnection {
  readonly greeting: UpstreamGreeting;
  /** Sends a request; resolves exactly once and never rejects. */
  readonly request: (wanted: UpstreamRequest) => Promise<UpstreamReply>;
  /** Sends a notification; lost where the connection is. */
  readonly notify: (method: string, params?: JsonObject) => void;
  /** Ends child process or session; open requests end with `upstream_lost`. */
  readonly close: () => Promise<void>;
}

/** Handed in when a connection is opened. */
export interface UpstreamConnectionEvents extends UpstreamListener {
  /** Called once, when an open connection has ended by itself. */
  readonly onLost: (reason: string) => void;
}
