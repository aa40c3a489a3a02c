/**
 * What the gateway offers to its fronts (stdio today): list, call, change notices. A front knows
 * eras, sessions and wires; the gateway knows none of them.
 */
import type { ClientClaim } from "../contract/policy-input.ts";
import type { CallProgress } from "../contract/progress.ts";

/** One tool call of a client, after the wire read it strictly. */
export interface CallRequest {
  readonly exposedName: string;
  /** Normalised text of the arguments object, key order as sent. */
  readonly argumentsJson: string;
  readonly client: ClientClaim;
  readonly protocolVersion: string;
  /** W3C trace context of the caller, if it is well formed. */
  readonly traceparent: string | undefined;
  /** Members of the request that are not passed on, as JSON pointers into `params`. */
  readonly dropped: readonly string[];
  /** Given where the client asked for progress. */
  readonly onProgress: ((progress: CallProgress) => void) | undefined;
  readonly signal: AbortSignal;
}

/** How a call ended, for the client. */
export type CallReply =
  | {
      readonly kind: "result";
      /** Only the gateway itself may speak under its own `_meta` prefix. */
      readonly origin: "upstream" | "gateway";
      /** A tool result: the upstream's own bytes, or a denial. */
      readonly bytes: Buffer;
      readonly value: Readonly<Record<string, unknown>>;
      /** Where the value of each member stands in `bytes`; undefined where nobody looked. */
      readonly members?: ReadonlyMap<string, { readonly start: number; readonly end: number }>;
    }
  | {
      readonly kind: "error";
      readonly code: number;
      readonly message: string;
      readonly data?: unknown;
    }
  | { readonly kind: "cancelled" };

/** Tools that a client may see, under the names it sees. */
export interface ToolListing {
  readonly tools: readonly Readonly<Record<string, unknown>>[];
  /** Changes whenever the list may have changed; part of every cursor. */
  readonly version: string;
}

export interface Gateway {
  readonly callTool: (call: CallRequest) => Promise<CallReply>;
  readonly listTools: () => Promise<ToolListing>;
  /** Records a `tools/call` that could not be read, as the denial it is. */
  readonly refuseMalformed: (protocolVersion: string) => Promise<void>;
  /** Calls `listener` after the list may have changed; returns how to stop. */
  readonly onToolsChanged: (listener: () => void) => () => void;
  /** Ends upstreams, commits records. */
  readonly close: () => Promise<void>;
}
