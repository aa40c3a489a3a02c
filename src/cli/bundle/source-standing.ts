/**
 * How a source of policy is doing, in OPA's words for the status of a bundle, with what is active
 * apart from what its source has and from what somebody chose: out of what gateways have kept.
 */
import type {
  BundleCandidate,
  BundleHistory,
  BundleStatus,
  HistoryEntry,
  HistoryHold,
} from "../../bundle/life/bundle-history.ts";
import { abortOf, isRevoked } from "../../bundle/life/history-changes.ts";
import type { PolicySource } from "../../config/config.ts";
import { lossOf } from "../../contract/place-role.ts";
import type { SourceState } from "./source-state.ts";
import { sourceState } from "./source-state.ts";

type Told<Kept, Key extends keyof Kept> = Readonly<Pick<Kept, Key>>;

/** Something that is wrong now. */
export interface SourceError {
  readonly code: string;
  readonly message: string;
}

/** As it is printed; `code` and `message` are those of the first of `errors`. */
export interface SourceStanding extends BundleStatus {
  /** `undefined` where no gateway has had a bundle of it yet. */
  readonly state: SourceState | undefined;
  readonly active_revision: string | null;
  readonly active: Told<
    HistoryEntry,
    "activated_at" | "by" | "digest" | "revision" | "signers" | "size_bytes" | "vouched_by" | "why"
  > | null;
  /** What its source has that is not active; `revision` is empty where it was not opened. */
  readonly candidate: Told<
    BundleCandidate,
    "at" | "code" | "digest" | "message" | "revision" | "state"
  > | null;
  /** What somebody chose. */
  readonly hold: Told<HistoryHold, "at" | "by" | "digest" | "why"> | null;
  readonly errors: readonly SourceError[];
}

/** The standing of a source at a time. */
export function sourceStanding(
  history: BundleHistory,
  policy: PolicySource,
  nowMs: number,
): SourceStanding {
  const { active, candidate, hold, status } = history;
  const state = sourceState(history, policy, nowMs);
  const errors = errorsOf(history, policy, state);
  const { code = null, message = null } = errors[0] ?? {};
  return {
    state,
    active_revision: active?.revision ?? null,
    active: active && activeOf(active),
    candidate: candidate && candidateOf(candidate),
    hold: hold && { digest: hold.digest, at: hold.at, by: hold.by, why: hold.why },
    ...status,
    code,
    message,
    errors,
  };
}

function activeOf(entry: HistoryEntry): NonNullable<SourceStanding["active"]> {
  const { digest, revision, activated_at, by, why, vouched_by, signers, size_bytes } = entry;
  return { digest, revision, activated_at, by, why, vouched_by, signers, size_bytes };
}

function candidateOf(candidate: BundleCandidate): NonNullable<SourceStanding["candidate"]> {
  const { digest, revision, state, at, code, message } = candidate;
  return { digest, revision, state, at, code, message };
}

/** What denies comes first, then what keeps something else from being active. */
function errorsOf(
  history: BundleHistory,
  policy: PolicySource,
  state: SourceState | undefined,
): readonly SourceError[] {
  const { candidate, hold, status } = history;
  const denying = state === "stale" ? [staleError(history, policy)] : revokedErrors(history);
  const kept = [hold, status, candidate].flatMap((one) =>
    typeof one?.code === "string" ? [{ code: one.code, message: one.message ?? "" }] : [],
  );
  return [...denying, ...abortErrors(history), ...kept];
}

function staleError({ status, layer }: BundleHistory, { cadence }: PolicySource): SourceError {
  const seconds = Math.round((cadence.maxStalenessMs ?? 0) / 1000);
  const heard = status.last_successful_request ?? "the beginning";
  const message = `nothing was heard from its source since ${heard}, and max_staleness is ${seconds} s; ${lossOf(layer)}`;
  return { code: "bundle_stale", message };
}

function revokedErrors(history: BundleHistory): readonly SourceError[] {
  const { active, layer } = history;
  if (active === null) return [];
  const revocation = history.revoked.find((one) => isRevoked({ revoked: [one] }, active));
  if (revocation === undefined) return [];
  const { at, by, why } = revocation;
  const message = `the active bundle was revoked by ${by} at ${at}: ${why ?? "no reason given"}; ${lossOf(layer)}`;
  return [{ code: "bundle_revoked", message }];
}

function abortErrors(history: BundleHistory): readonly SourceError[] {
  const aborted = abortOf(history);
  if (aborted === undefined) return [];
  const { at, by, why } = aborted;
  const message = `its bundle was taken out by ${by} at ${at}: ${why ?? "no reason given"}; "${history.layer}" is tried again with another bundle, or after bundle resume`;
  return [{ code: "canary_aborted", message }];
}
