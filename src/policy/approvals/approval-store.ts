/**
 * Where approvals are kept, between the gateways that hold calls and the people who decide. A change
 * is made alone: whoever else wants the same approval waits, and then sees what was made of it. A store
 * is opened for one tenant; what another tenant asked is not there.
 */
import type { Approval } from "./approval.ts";
import { statusAt } from "./approval.ts";

/** What a new request is checked against, and what it becomes where nothing is in its way. */
export interface ApprovalDraft {
  readonly binding: string;
  readonly principal: string;
  /** Requests of one principal that may count at once, see `countsAsAsked`. */
  readonly maxPending: number;
  /** Shown to approvers; JSON text. */
  readonly argumentsJson: string;
  /** Called at most once; what it does before it resolves is done before anybody sees the request. */
  readonly make: (nowMs: number) => Promise<Approval>;
}

export type Opened =
  | { readonly kind: "opened"; readonly approval: Approval }
  /** The same call asked before, and that is pending, approved or denied. */
  | { readonly kind: "found"; readonly approval: Approval }
  | { readonly kind: "too_many" };

/** What a change came to: `approval` is written where it is set. */
export interface Changed<Result> {
  readonly approval: Approval | undefined;
  readonly result: Result;
}

/** All of it throws `ApprovalError` or `DatabaseError` where it cannot be read or written. */
export interface ApprovalStore {
  readonly open: (draft: ApprovalDraft) => Promise<Opened>;
  /** `undefined` where there is no such approval. */
  readonly change: <Result>(
    id: string,
    change: (approval: Approval, nowMs: number) => Promise<Changed<Result>>,
  ) => Promise<Result | undefined>;
  /** Those that are there, in no order. */
  readonly read: (ids: readonly string[]) => Promise<readonly Approval[]>;
  /** All that are kept, newest first. */
  readonly list: () => Promise<readonly Approval[]>;
  /** `undefined` once an approval is closed: arguments may hold what should not be kept. */
  readonly argumentsOf: (id: string) => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/** How long a closed approval is kept for people to look at; the record keeps what it was. */
export const closedKeptMs = 24 * 60 * 60_000;

/** Whoever asks and takes back again and again has asked nevertheless. */
export const withdrawnCountsMs = 10 * 60_000;

/** True for a request that waits, or was taken back a moment ago: people were told of it. */
export function countsAsAsked(approval: Approval, nowMs: number): boolean {
  if (approval.status !== "withdrawn") return statusAt(approval, nowMs) === "pending";
  return nowMs - Date.parse(approval.requested_at) < withdrawnCountsMs;
}

/** True for one that will change no more. */
export function isClosed({ closed_at: closedAt }: Approval): boolean {
  return closedAt !== null;
}

/** True for one that nobody has to see any more. A denial answers the same call until its time is over. */
export function isForgettable(approval: Approval, nowMs: number): boolean {
  const { closed_at: closedAt, expires_at: expiresAt } = approval;
  const endedMs = Math.max(Date.parse(closedAt ?? expiresAt), Date.parse(expiresAt));
  return nowMs - endedMs > closedKeptMs;
}
