/**
 * The input document that policies see (`schema/input.schema.json`), as the JSON it is. Arguments
 * are kept as JSON text: the bytes that policy judges are the bytes that leave.
 */
import type { JsonObject } from "./json.ts";

/** Who acts; from config and command line on stdio. */
export interface AgentIdentity {
  readonly id: string;
  /** As the operator or a verified token says it; what a client claims of itself is not here. */
  readonly version: string | null;
  readonly scope: string | null;
  readonly owner_team: string | null;
  readonly model: string | null;
  readonly parent: string | null;
  readonly authenticated: boolean;
}

export interface UserIdentity {
  readonly id: string;
  readonly groups: readonly string[];
  readonly data_classifications_authorized: readonly string[];
}

/** What only the client claims of itself. */
export interface ClientClaim {
  readonly name: string;
  readonly version: string;
}

/** What may be decided; a grant of anything but `tool_call` has to name it in its METADATA. */
export const actionTypes = [
  "tool_call",
  "prompt_get",
  "resource_read",
  "resource_subscribe",
  "completion",
  "task_get",
  "task_result",
  "task_cancel",
  "task_update",
  "sampling",
  "elicitation",
  "roots_list",
] as const;
export type ActionType = (typeof actionTypes)[number];

/** What an action is about, as far as it can be said without arguments: the list phase sees this. */
export interface PolicyAction {
  readonly type: ActionType;
  readonly direction: "to_server" | "to_client";
  /** Config id of the server. */
  readonly server: string;
  /** `tool`, `prompt`, `uri` or `uri_template`, exact as its server knows it; a task names its tool. */
  readonly about: JsonObject;
  /** Of a tool: its boolean hints. */
  readonly annotations?: JsonObject | undefined;
  /** Of what a server lists: digest of the whole definition, RFC 8785 form. */
  readonly definition_digest?: string | undefined;
  readonly destination: { readonly region: string | null; readonly external: boolean };
}

/** Facts of the conversation so far. */
export interface ConversationContext {
  readonly conversation_id: string;
  readonly turn_count: number;
  readonly cumulative_tokens: number;
  readonly session_age_seconds: number;
  readonly data_classes_seen: readonly string[];
  readonly labels_seen: readonly string[];
  /** Servers that each class or label seen came from. */
  readonly data_class_sources?: Readonly<Record<string, readonly string[]>>;
  readonly label_sources?: Readonly<Record<string, readonly string[]>>;
  readonly servers_called: readonly string[];
}

export interface EnvironmentFacts {
  readonly region: string | null;
  readonly is_production: boolean;
}

/**
 * The input document in parts of JSON text. The engine joins them, because what a layer sees of it
 * depends on the layers before: classes first, then `layers`, then `denials`.
 */
export interface InputParts {
  /** From `{` to the last member of `action` before its classes; the action object is still open. */
  readonly open: string;
  /** Floor of `action.data_classes_referenced`. */
  readonly dataClasses: readonly string[];
  /** Classes that only detectors named: they are added, and leave `unclassified` where it is. */
  readonly detectedClasses?: readonly string[] | undefined;
  /** Floor of `action.labels`. */
  readonly labels: readonly string[];
  /** `context` as the organisation's layers see it. */
  readonly contextJson: string;
  /** `context` as the server's own bundle sees it: its own server's part. */
  readonly serverContextJson: string;
  /** `usage` as each layer sees it, by its name: its own counters. JSON text; `{}` where none is. */
  readonly usage?: Readonly<Record<string, string>> | undefined;
  /** `,"environment":{…},"approval":null`, the document still open. */
  readonly close: string;
}
