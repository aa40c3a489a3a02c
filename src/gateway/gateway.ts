/**
 * What the gateway offers to its fronts (stdio, Streamable HTTP): greet, list, act, subscribe. A
 * front knows sessions, ids and wires; the gateway knows none of them.
 */
import type { JsonObject } from "../contract/json.ts";
import type { ClientClaim } from "../contract/policy-input.ts";
import type { Principal } from "../contract/principal.ts";
import type { CallProgress } from "../contract/progress.ts";
import type { TransportTrace } from "../telemetry/tracing/trace-context.ts";
import type { PolicyStanding } from "./policies/policy-standing.ts";
import type { ApprovalGrant } from "../policy/approvals/approval-grant.ts";

/** `legacy`: up to MCP 2025-11-25, `modern`: from 2026-07-28. */
export type ClientEra = "legacy" | "modern";

/** One client as its front knows it: a legacy session, or the sender of one modern request. */
export interface Client {
  readonly principal: Principal;
  /** Of a legacy client; what is kept for it ends with `forget`. `undefined` for a modern one. */
  readonly session: string | undefined;
  readonly era: ClientEra;
  readonly protocolVersion: string;
  /** What it says of itself; never a reason to allow anything. */
  readonly claim: ClientClaim;
  readonly capabilities: JsonObject;
}

/** What a decided request is about, read strictly by the wire. */
export type Subject =
  | { readonly type: "tool_call"; readonly name: string; readonly argumentsJson: string }
  | { readonly type: "prompt_get"; readonly name: string; readonly argumentsJson: string }
  | {
      readonly type: "resource_read" | "resource_subscribe";
      readonly uri: string;
    }
  | {
      readonly type: "completion";
      readonly ref: { readonly prompt: string } | { readonly uri: string };
      /** `{"argument":{…},"context":{…}}`, the members that were sent. */
      readonly argumentsJson: string;
    }
  | {
      /** `task_subscribe` is decided as `task_get`: who may read a task may hear of it. */
      readonly type: "task_get" | "task_result" | "task_cancel" | "task_update" | "task_subscribe";
      /** As the client knows it. */
      readonly taskId: string;
    };

/** The trace that a request belongs to, as far as it is well formed. */
export interface RequestTrace {
  /** W3C trace context of the caller. */
  readonly traceparent: string | undefined;
  /** What came beside it in the request; goes on where the request is traced. */
  readonly tracestate?: string | undefined;
  /** What its transport said; where the request itself said nothing that is the caller's context. */
  readonly transportTrace?: (TransportTrace & { readonly isParent: boolean }) | undefined;
}

/** One decided request of a client. */
export interface ActionRequest extends RequestTrace {
  readonly client: Client;
  readonly subject: Subject;
  /** Answers to `input_required`; JSON text. */
  readonly inputResponsesJson: string | undefined;
  readonly requestState: string | undefined;
  /** How often a server's questions were answered within this request; of the gateway's own. */
  readonly round?: number;
  /** What people agreed to for the call that this is part of; of the gateway's own. */
  readonly approval?: ApprovalGrant | undefined;
  /** 2025-11-25 task augmentation; JSON text. */
  readonly taskJson: string | undefined;
  /** Modern: the level of log messages that this request wants. */
  readonly logLevel: string | undefined;
  /** Members of the request that are not passed on, as JSON pointers into `params`. */
  readonly dropped: readonly string[];
  /** What the sender says of the conversation that this belongs to; whether it counts is not judged. */
  readonly saidConversation?: unknown;
  /** Who hears of what it subscribes to, where the gateway knows more of its client than the front. */
  readonly hearer?: Client;
  /** Given where the client asked for progress. */
  readonly onProgress: ((progress: CallProgress) => void) | undefined;
  /** Log messages and the like that belong to this request. */
  readonly onNotification: (notification: ClientNotice) => void;
  /** Asks a legacy client for sampling, elicitation or roots in the middle of this request. */
  readonly ask: ((question: ClientQuestion) => Promise<ClientReply>) | undefined;
  readonly signal: AbortSignal;
}

/** A notification for a client, in the names that this client knows. */
export interface ClientNotice {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A request to a legacy client. */
export interface ClientQuestion {
  readonly method: string;
  readonly paramsJson: string;
  readonly signal: AbortSignal;
}

export type ClientReply =
  | { readonly kind: "result"; readonly resultJson: string }
  | {
      readonly kind: "error";
      readonly code: number;
      readonly message: string;
      /** Where the client said nothing of the kind. */
      readonly origin?: "gateway";
    };

/** How an action ended, for the client. */
export type ActionReply =
  | {
      readonly kind: "result";
      /** Only the gateway itself may speak under its own `_meta` prefix. */
      readonly origin: "upstream" | "gateway";
      /** The upstream's own bytes, or a denial. */
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

export type ListKind = "tools" | "prompts" | "resources" | "resourceTemplates";

/** What a client may see, under the names it sees. */
export interface Listing {
  readonly items: readonly Readonly<Record<string, unknown>>[];
  /** Changes whenever the list may have changed; part of every cursor. */
  readonly version: string;
}

/** What the gateway says of itself, merged from its servers. */
export interface Greeting {
  readonly capabilities: JsonObject;
  readonly instructions: string;
}

/** How a client is told and asked what belongs to none of its requests. */
export interface ClientEar {
  readonly hear: (notice: ClientNotice) => void;
  /** Of a legacy client. */
  readonly ask: ((question: ClientQuestion) => Promise<ClientReply>) | undefined;
}

export interface Gateway {
  /** Resolves when what servers said in the last run is at hand; a front greets nobody before. */
  readonly recalled: Promise<void>;
  /** Resolves when policies are active and servers are listed, or the patience with them ended. */
  readonly ready: Promise<void>;
  /** Whether it can decide now; of use once it is ready. */
  readonly policyStanding: () => PolicyStanding;
  readonly greet: (client: Client) => Greeting;
  readonly list: (client: Client, kind: ListKind) => Promise<Listing>;
  readonly act: (request: ActionRequest) => Promise<ActionReply>;
  /** Legacy: the least severe level that this session wants to hear. */
  readonly setLogLevel: (client: Client, level: string) => void;
  /** Legacy: the client's roots may have changed. */
  readonly rootsChanged: (client: Client) => void;
  /** Ends a subscription to a resource, by the URI that the client knows. */
  readonly unsubscribe: (client: Client, uri: string) => Promise<void>;
  /** Tasks of this principal, in the names that it knows. */
  readonly listTasks: (client: Client) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Tells a client what belongs to none of its requests; returns how to stop. */
  readonly listen: (client: Client, ear: ClientEar) => () => void;
  /** Resolves when changes of every server that can tell of them are heard. */
  readonly awaitChanges: (client: Client) => Promise<void>;
  /** Modern HTTP: headers that mirror arguments of a tool, by full name, with their JSON pointers. */
  readonly parameterHeaders: (
    client: Client,
    exposedName: string,
  ) => Promise<ReadonlyMap<string, string>>;
  /** Records a decided request that came to no decision, as the denial it is. */
  readonly refuseMalformed: (client: Client, method?: string) => Promise<void>;
  /** Ends what is kept for a legacy session: its connections, its subscriptions. */
  readonly forget: (client: Client) => void;
  /** Ends upstreams, commits records. */
  readonly close: () => Promise<void>;
}
