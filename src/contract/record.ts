/**
 * The two records of one decision, sharing a `decisionId`, and the notes beside them: what people
 * and bundles changed. `decision/encode-record.ts` turns them into the snake_case JSON that the
 * spool, Postgres and an export hold, a superset of OPA's decision-log event.
 */
import type { DecisionAnswer } from "./answer.ts";
import type { BundleChange, LayerKind } from "./bundle.ts";
import type { JsonObject } from "./json.ts";
import type { LayerVerdict, Waiver } from "./layer.ts";
import type { LogMask } from "./log-mask.ts";
import type { ShadowRecord } from "./shadow-record.ts";

/** Written and durable before the call leaves, or before the denial is answered. */
export interface AdmissionRecord {
  readonly kind: "admission";
  /** UUIDv7. */
  readonly decisionId: string;
  /** Milliseconds since the epoch; the one time of this decision. */
  readonly timeMs: number;
  readonly tenant: string;
  readonly agent: string;
  readonly user: string;
  readonly server: string;
  /** Exact upstream tool name; `null` where the call named none that exists. */
  readonly tool: string | null;
  /** What the client asked for, `crm__get_customer`. */
  readonly exposedName: string;
  readonly actionType: string;
  readonly protocolVersion: string;
  /** JSON text of the input document as the organisation's layers saw it. */
  readonly inputJson: string;
  /** JSON text of OPA's `nd_builtin_cache`: what builtins answered that a replay has to see again. */
  readonly ndBuiltinCacheJson?: string | undefined;
  /** `sha256:` of the argument bytes that policy judged and the upstream receives. */
  readonly argsSha256: string;
  readonly answer: DecisionAnswer;
  readonly layers: readonly LayerVerdict[];
  readonly waivers: {
    /** Those that lifted a denial. */
    readonly used: readonly Waiver[];
    /** Those that would have, had they not run out. */
    readonly expired: readonly Waiver[];
    /** Those that lift nothing, with what is wrong with each. */
    readonly void?: readonly Waiver[] | undefined;
  };
  /** `_meta` keys and params members that were not passed on. */
  readonly dropped: readonly string[];
  readonly timings: {
    readonly policyMs: number;
    readonly totalMs: number;
    /** Of each layer that answered, by its name. */
    readonly layerMs?: Readonly<Record<string, number>> | undefined;
  };
  /** W3C trace context that it belongs to, where there is one. */
  readonly traceparent?: string | undefined;
  /** Profile and the settings that weaken it, `strict` or `trial:…`. */
  readonly posture: string;
  /** What the call knows about what is secret in it; no part of the record. */
  readonly hints?:
    | {
        /** Input schema of the tool. */
        readonly argumentsSchema?: unknown;
        /** Of the server's own bundle. */
        readonly masks?: readonly LogMask[];
      }
    | undefined;
}

export const outcomes = [
  "completed",
  "completed_withheld",
  "tool_error",
  "cancelled",
  "upstream_lost",
  "unknown",
  "not_forwarded",
] as const;
export type Outcome = (typeof outcomes)[number];

/** Numbers, never contents. */
export interface ObligationDone {
  /** The policy's own name for it. */
  readonly id: string;
  readonly type: string;
  /** Places that were changed; of `notify` the messages that were handed on. */
  readonly changed: number;
}

/** Written after the call ended; appended, not awaited. */
export interface OutcomeRecord {
  readonly kind: "outcome";
  readonly decisionId: string;
  readonly timeMs: number;
  readonly outcome: Outcome;
  /** Digest and size of the result bytes as the upstream sent them; `null` where none came. */
  readonly resultSha256: string | null;
  readonly resultBytes: number | null;
  readonly latencyMs: number;
  /** What was done for each obligation; absent where there was none. */
  readonly obligations?: readonly ObligationDone[] | undefined;
  /** Why the client did not get the result, codes as in a denial; absent where it did. */
  readonly withheld?: readonly string[] | undefined;
}

/** Written when what decides changes: durable, and not part of any decision. */
export interface ActivationRecord extends BundleChange {
  readonly kind: "activation";
  /** UUIDv7 of its own. */
  readonly decisionId: string;
  readonly timeMs: number;
  readonly tenant: string;
  /** Config id of the server, or name of the layer. */
  readonly layer: string;
  readonly layerKind: LayerKind;
  /** Source of the bundle, as configured. */
  readonly reference: string;
}

/** Written for each step in the life of a request for approval. */
export interface ApprovalRecord {
  readonly kind: "approval";
  /** UUIDv7 of its own. */
  readonly decisionId: string;
  readonly timeMs: number;
  readonly tenant: string;
  readonly approvalId: string;
  readonly event:
    | "requested"
    | "approved"
    | "denied"
    | "expired"
    | "used"
    /** The request that used it came to nothing. */
    | "given_back"
    | "withdrawn";
  /** The decision that was held, or, of `used` and `given_back`, the one that ran on it. */
  readonly forDecisionId: string;
  readonly server: string;
  readonly tool: string | null;
  readonly agent: string;
  readonly user: string;
  /** A person; `null` where nobody acted. */
  readonly by: string | null;
  readonly channel: string | null;
  readonly reason: string | null;
  readonly argsSha256: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
}

/** Written before an operator's change takes effect. */
export interface AdminRecord {
  readonly kind: "admin";
  /** UUIDv7 of its own. */
  readonly decisionId: string;
  readonly timeMs: number;
  readonly tenant: string;
  /** A person, or the name of a token. */
  readonly by: string;
  /** `block`, `lift`, `budget_grant`, `budget_reset`, … */
  readonly action: string;
  /** What it is done to, `agent support-bot`. */
  readonly subject: string;
  readonly reason: string | null;
  /** Whatever else belongs to the action; no arguments, tokens or results. */
  readonly details: JsonObject;
}

/** What is no part of a decision; each has an id of its own. */
export type NotedRecord = ActivationRecord | ApprovalRecord | AdminRecord | ShadowRecord;

export type DecisionRecord = AdmissionRecord | OutcomeRecord | NotedRecord;

/** Where the gateway puts its records. Made by `decision/`, used by `gateway/`. */
export interface DecisionLog {
  /** Resolves once the record is durable; rejects when it cannot be, and then nothing may leave. */
  readonly admit: (record: AdmissionRecord) => Promise<void>;
  /** Appends; durability follows with the next commit. Never throws. */
  readonly settle: (record: OutcomeRecord) => void;
  /** Resolves once the record is durable; rejects when it cannot be. */
  readonly note: (record: NotedRecord) => Promise<void>;
  /** Commits what is pending and stops shipping. */
  readonly close: () => Promise<void>;
}
