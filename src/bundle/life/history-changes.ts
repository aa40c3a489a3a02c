/**
 * How the history of a source changes; pure, so that what two processes do at once adds up.
 */
import type { Digest } from "../../contract/bundle.ts";
import type { VersionMark } from "../verify/version-order.ts";
import { highestOf } from "../verify/version-order.ts";
import type {
  BundleCandidate,
  BundleHistory,
  HistoryDecision,
  HistoryEntry,
  HistoryHold,
} from "./bundle-history.ts";
import { maxPrevious } from "./bundle-history.ts";

/** Registries have a say in messages; the history has to stay readable. */
const maxMessage = 1000;

interface Failure {
  readonly code: string;
  readonly message: string;
}

/** The source was asked; `failure` says what was wrong. */
export function noteRequest(
  before: BundleHistory,
  now: string,
  failure: Failure | undefined,
): BundleHistory {
  const status = { ...before.status, last_request: now };
  if (failure !== undefined) {
    const { code } = failure;
    const message = failure.message.slice(0, maxMessage);
    return { ...before, status: { ...status, code, message } };
  }
  const heard = { last_successful_request: now, code: null, message: null };
  return { ...before, status: { ...status, ...heard } };
}

/** Something new was fetched; who gives it was asked and has answered. */
export function noteDownload(before: BundleHistory, now: string): BundleHistory {
  const { status } = noteRequest(before, now, undefined);
  return { ...before, status: { ...status, last_successful_download: now } };
}

/** What the source has waits, or was refused. */
export function noteCandidate(before: BundleHistory, candidate: BundleCandidate): BundleHistory {
  return { ...before, candidate: { ...candidate, message: cut(candidate.message) } };
}

/** What the source has is active already: what it had before is no matter any more. */
export function noteCurrent(before: BundleHistory): BundleHistory {
  return { ...before, candidate: null };
}

/** What somebody chose cannot be had. */
export function noteHoldRefused(
  before: BundleHistory,
  { digest, code, message }: Pick<BundleCandidate, "digest"> & Failure,
): BundleHistory {
  const { hold: held } = before;
  if (held?.digest !== digest) return before;
  const { next_try_at: _at, ...rest } = held;
  return { ...before, hold: { ...rest, code, message: cut(message) ?? "" } };
}

/** What somebody chose, or the lock names, is tried again. */
export function noteRetry(before: BundleHistory, digest: Digest, at: string): BundleHistory {
  const { candidate, hold: held } = before;
  if (held?.digest === digest) return { ...before, hold: { ...held, next_try_at: at } };
  if (candidate?.digest !== digest || candidate.state !== "rejected") return before;
  return { ...before, candidate: { ...candidate, next_try_at: at } };
}

/**
 * A bundle is active. `chosen` by somebody it sets the measure anew, so that what comes after it is
 * not held to be older than what they left; `new` it is what the source has, so nothing waits any
 * more; `restored` it was active before.
 */
export function noteActivation(
  before: BundleHistory,
  entry: HistoryEntry,
  mark: VersionMark,
  kind: "new" | "chosen" | "restored" = "new",
): BundleHistory {
  const { active, candidate, highest, status } = before;
  const isSame = active?.digest === entry.digest;
  const known =
    highest === null ? undefined : { ...highest, createdSeconds: highest.created_seconds };
  const top =
    kind === "chosen" ? mark : highestOf(known && { sequence: undefined, ...known }, mark);
  const isOver = kind === "new" || candidate?.digest === entry.digest;
  return {
    ...before,
    // What was activated before by somebody keeps their name.
    active: isSame ? { ...active, version: entry.version } : entry,
    previous: previousOf(before, entry).slice(0, maxPrevious),
    candidate: isOver ? null : candidate,
    hold: followed(before, entry),
    highest: {
      revision: top.revision,
      ...(top.sequence === undefined ? {} : { sequence: top.sequence }),
      ...(top.createdSeconds === undefined ? {} : { created_seconds: top.createdSeconds }),
    },
    status: isSame ? status : { ...status, last_successful_activation: entry.activated_at },
  };
}

/**
 * Newest first. Who rolls back leaves a bundle behind on purpose; who thereby goes forth to one that
 * was left so takes that back, and has nothing against the one between.
 */
function previousOf(
  { active, hold: held, previous }: BundleHistory,
  entry: HistoryEntry,
): readonly HistoryEntry[] {
  const others = previous.filter(({ digest }) => digest !== entry.digest);
  if (active === null || active.digest === entry.digest) return others;
  const isFollowed = held?.digest === entry.digest && held.way === "rollback";
  const wasLeft = previous.find(({ digest }) => digest === entry.digest)?.rolled_back === true;
  return [isFollowed && !wasLeft ? { ...active, rolled_back: true } : active, ...others];
}

/** A choice that is followed has nothing wrong with it any more. */
function followed({ hold: held }: BundleHistory, { digest }: HistoryEntry): BundleHistory["hold"] {
  if (held?.digest !== digest) return held;
  const { code: _code, message: _message, next_try_at: _at, ...rest } = held;
  return rest;
}

/** Somebody chose a bundle. */
export function hold(before: BundleHistory, decision: HistoryHold): BundleHistory {
  return { ...before, hold: decision };
}

/** The source decides again, and a canary that was aborted is tried again. */
export function resume(before: BundleHistory): BundleHistory {
  return { ...before, hold: null, aborted: undefined };
}

/** The bundle of a canary is out; another one of its source is not. */
export function abort(before: BundleHistory, decision: HistoryDecision): BundleHistory {
  return { ...before, aborted: decision };
}

/** Who took the active bundle of a canary out, and why; `undefined` where nobody did. */
export function abortOf({ aborted, active }: BundleHistory): HistoryDecision | undefined {
  return aborted !== undefined && aborted.digest === active?.digest ? aborted : undefined;
}

/** A bundle is never to be active again; one that is held is not held any more. */
export function revoke(before: BundleHistory, decision: HistoryDecision): BundleHistory {
  const others = before.revoked.filter(({ digest }) => digest !== decision.digest);
  const isHeld = before.hold?.digest === decision.digest;
  const known = [before.active, ...before.previous, before.candidate];
  const content = known.find((one) => one?.digest === decision.digest)?.content;
  const revoked = content === undefined ? decision : { ...decision, content };
  return { ...before, revoked: [...others, revoked], hold: isHeld ? null : before.hold };
}

/** True for what was revoked, and for the same content in another envelope. */
export function isRevoked(
  { revoked }: Pick<BundleHistory, "revoked">,
  bundle: { readonly digest: Digest; readonly content?: Digest | undefined },
): boolean {
  return revoked.some(
    ({ digest, content }) =>
      digest === bundle.digest || (content !== undefined && content === bundle.content),
  );
}

/** Everything that was revoked: manifests, and contents whatever they are packed in. */
export function revokedIn({ revoked }: Pick<BundleHistory, "revoked">): ReadonlySet<Digest> {
  return new Set(revoked.flatMap(({ digest, content }) => [digest, ...(content ? [content] : [])]));
}

/** A revocation was wrong. */
export function reinstate(before: BundleHistory, digest: Digest): BundleHistory {
  return { ...before, revoked: before.revoked.filter((one) => one.digest !== digest) };
}

/**
 * The bundle to go back to: the one that was active last of those that nobody revoked and nobody
 * rolled back from. Time counts and not the version: the last one that was good is not always the
 * highest.
 */
export function previousGood(history: BundleHistory): HistoryEntry | undefined {
  return history.previous.find((entry) => entry.rolled_back !== true && !isRevoked(history, entry));
}

function cut(message: string | null): string | null {
  return message?.slice(0, maxMessage) ?? null;
}
