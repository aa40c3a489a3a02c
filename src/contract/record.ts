/**
 * The two records of one decision, sharing a `decisionId`. `decision/encode-record.ts` turns them
 * into the snake_case JSON that the spool, Postgres and an export hold, a superset of OPA's
 * decision-log event.
 */
import type { DecisionAnswer } from "./answer.ts";
import type { LayerVerdict, Waiver } from "./layer.ts";

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
  /** `sha256:` of the argument bytes that policy judged and the upstream receives. */
  readonly argsSha256: string;
  readonly answer: DecisionAnswer;
  readonly layers: readonly LayerVerdict[];
  /** Waivers that lifted a denial, and those that would have, had they not run out. */
  readonly waivers: { readonly used: readonly Waiver[]; readonly expired: readonly Waiver[] };
  /** `_meta` keys and params members that were not passed on. */
  readonly dropped: readonly string[];
  readonly timings: { readonly policyMs: number; readonly totalMs: number };
  /** Profile and the settings that weaken it, `strict` or `trial:…`. */
  readonly posture: string;
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
}

export type DecisionRecord = AdmissionRecord | OutcomeRecord;

/** Where the gateway puts its records. Made by `decision/`, used by `gateway/`. */
export interface DecisionLog {
  /** Resolves once the record is durable; rejects when it cannot be, and then nothing may leave. */
  readonly admit: (record: AdmissionRecord) => Promise<void>;
  /** Appends; durability follows with the next commit. Never throws. */
  readonly settle: (record: OutcomeRecord) => void;
  /** Commits what is pending and stops shipping. */
  readonly close: () => Promise<void>;
}
