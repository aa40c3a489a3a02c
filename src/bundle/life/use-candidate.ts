/**
 * The last steps of a bundle on its way: prepared, then made active, or kept waiting, or refused.
 * What is refused changes nothing but what is told of it.
 */
import type { BundleChange } from "../../contract/bundle.ts";
import { lossOf } from "../../contract/place-role.ts";
import { messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { FetchedBundle } from "../sources/bundle-source.ts";
import type {
  BundleCandidate,
  BundleHistory,
  HistoryDecision,
  HistoryEntry,
} from "./bundle-history.ts";
import {
  isRevoked,
  noteActivation,
  noteCandidate,
  noteHoldRefused,
  revokedIn,
} from "./history-changes.ts";
import { archiveBytesOf } from "./kept-bundles.ts";
import type { Keeping, Withdrawal } from "./keeping.ts";
import { changeNow, choiceOf, entryOf, historyNow, self, timeNow } from "./keeping.ts";
import type { Candidate, KnownPast } from "./prepare-candidate.ts";
import type { Objection, Vetting } from "./vet-candidate.ts";
import { isToBeVetted, wasVetted } from "./vet-candidate.ts";

/** Whose wish it is. */
export interface Wish {
  readonly by: string;
  readonly why: string | null;
  /**
   * `chosen`: somebody named this very bundle, so it may be older than others, and is the measure from
   * now on. `restored`: it was active before.
   */
  readonly kind: "new" | "chosen" | "restored";
}

/** A failure that may pass by itself, or with a signature that comes after the bundle. */
const passing = new Set<BundleError["code"]>([
  "bundle_unreachable",
  "bundle_unauthorized",
  "bundle_unverified",
]);

/** What became of it: `again` where it is worth another look, or somebody is waiting for it. */
export type Use = "active" | "refused" | "again";

/** Makes a bundle active. */
export async function useBundle(
  keeping: Keeping,
  fetched: FetchedBundle,
  history: BundleHistory,
  wish: Wish,
): Promise<Use> {
  const prepared = await prepare(keeping, fetched, history, wish.kind);
  if (typeof prepared === "string") return prepared;
  await keeping.deps.keep(fetched);
  if (wish.kind === "new" && isToBeVetted(keeping, fetched, history)) {
    if (wasVetted(history, fetched)) return "refused";
    const vetting = await vet(keeping, fetched);
    if (keeping.signal.aborted) return "again";
    if (!vetting.ok) return await noteWaiting(keeping, prepared, vetting);
  }
  const now = await historyNow(keeping);
  if (isRevoked(now, { digest: fetched.digest, content: prepared.content })) {
    await refuseBundle(keeping, fetched, "bundle_revoked", "it was revoked");
    return "refused";
  }
  // Somebody decided while it was prepared: the next look follows them.
  if (choiceOf(keeping, now)?.digest !== choiceOf(keeping, history)?.digest) return "again";
  const activation = await keeping.deps.activate(prepared.bundle);
  if (!activation.ok) {
    await refuseBundle(keeping, fetched, activation.code, activation.message);
    // A machine that has too much to do fails a good bundle too.
    return wish.kind === "chosen" ? "again" : "refused";
  }
  await noteUse(keeping, prepared, history, wish);
  return "active";
}

/** Has a bundle ready for whoever activates it; it is prepared, so that they know that it can be. */
export async function keepWaiting(
  keeping: Keeping,
  fetched: FetchedBundle,
  history: BundleHistory,
): Promise<Use> {
  const prepared = await prepare(keeping, fetched, history, "new");
  if (typeof prepared === "string") return prepared;
  await keeping.deps.keep(fetched);
  return await noteWaiting(keeping, prepared, undefined);
}

/** Without a reason it waits because every new bundle of its source does. */
async function noteWaiting(
  keeping: Keeping,
  { bundle, content, fetched }: Candidate,
  objection: Objection | undefined,
): Promise<Use> {
  const { digest, revision } = bundle;
  const at = timeNow(keeping);
  const { version } = fetched;
  const kept = { content, version, archive_bytes: archiveBytesOf(fetched) };
  const { code = null, message = null } = objection ?? {};
  const waiting = { digest, revision, at, state: "waiting", code, message, ...kept } as const;
  await changeNow(keeping, (before) => noteCandidate(before, waiting));
  const { layer } = keeping.options.key;
  const why = objection === undefined ? {} : { code, reason: message };
  keeping.deps.log.info({ layer, digest, revision, ...why }, "policy bundle waits to be activated");
  return code === "history_unreadable" ? "again" : "refused";
}

async function vet({ deps, signal }: Keeping, fetched: FetchedBundle): Promise<Vetting> {
  if (deps.vet !== undefined) return await deps.vet(fetched, signal);
  const message = "nobody here can say what it newly allows";
  return { ok: false, code: "history_not_replayed", message };
}

/** Tells, once, that a bundle is not made active: at the choice that names it, else as what the source has. */
export async function refuseBundle(
  keeping: Keeping,
  fetched: FetchedBundle | Pick<FetchedBundle, "digest">,
  code: string,
  message: string,
): Promise<void> {
  const { digest } = fetched;
  const { candidate, hold } = await historyNow(keeping);
  const known = hold?.digest === digest ? hold : candidate;
  if (known?.digest === digest && known.code === code) return;
  keeping.deps.onFailure?.();
  const rejected = rejectedOf(keeping, fetched, code, message);
  await changeNow(keeping, (before) =>
    before.hold?.digest === digest
      ? noteHoldRefused(before, { digest, code, message })
      : noteCandidate(before, rejected),
  );
  const { layer } = keeping.options.key;
  keeping.deps.log.error({ layer, digest, code, reason: message }, "policy bundle not activated");
  await record(keeping, { event: "rejected", digest, code });
}

function rejectedOf(
  keeping: Keeping,
  fetched: FetchedBundle | Pick<FetchedBundle, "digest">,
  code: string,
  message: string,
): BundleCandidate {
  const kept =
    "archive" in fetched
      ? { version: fetched.version, archive_bytes: archiveBytesOf(fetched) }
      : undefined;
  const rest = { state: "rejected", code, message, ...kept } as const;
  return { digest: fetched.digest, revision: "", at: timeNow(keeping), ...rest };
}

/**
 * Takes the active bundle away: its calls are denied. Where that fails it is tried again. `decided`:
 * whose word it follows, for people to see; whoever calls is not told.
 */
export async function withdraw(
  keeping: Keeping,
  code: Withdrawal,
  decided?: Pick<HistoryDecision, "by" | "why">,
): Promise<void> {
  const { deps, options, state } = keeping;
  const { layer } = options.key;
  const previous = state.active?.digest;
  const activation = await deps.activate(undefined);
  if (!activation.ok) {
    state.stamp = "";
    state.decisions = "";
    const { message: reason } = activation;
    deps.log.error({ layer, code, reason }, "policy bundle could not be withdrawn");
    return;
  }
  state.isWithdrawn = true;
  if (code === "bundle_revoked") state.active = undefined;
  const { by, why } = decided ?? {};
  const said = by === undefined ? {} : { by, why: why ?? null };
  deps.log.error({ layer, code, ...said, consequence: lossOf(layer) }, "policy bundle withdrawn");
  await record(keeping, { event: "withdrawn", previous, code, ...said });
}

/** Whatever is wrong with a bundle is wrong with that bundle alone. */
async function prepare(
  keeping: Keeping,
  fetched: FetchedBundle,
  history: BundleHistory,
  kind: Wish["kind"],
): Promise<Candidate | Exclude<Use, "active">> {
  try {
    return await keeping.deps.prepare(fetched, pastOf(history, fetched, kind));
  } catch (thrown) {
    const isKnown = thrown instanceof BundleError;
    const code = isKnown ? thrown.code : "unexpected";
    await refuseBundle(keeping, fetched, code, messageOf(thrown));
    return isKnown && passing.has(thrown.code) ? "again" : "refused";
  }
}

function pastOf(history: BundleHistory, { digest }: FetchedBundle, kind: Wish["kind"]): KnownPast {
  const { highest } = history;
  const isTested = entryOf(history, digest) !== undefined;
  const revoked = revokedIn(history);
  if (highest === null || kind !== "new") return { highest: undefined, isTested, revoked };
  const { revision, sequence, created_seconds: createdSeconds } = highest;
  return { highest: { revision, sequence, createdSeconds }, isTested, revoked };
}

async function noteUse(
  keeping: Keeping,
  { bundle, content, fetched, trust, mark }: Candidate,
  history: BundleHistory,
  { by, why, kind }: Wish,
): Promise<void> {
  const { state } = keeping;
  const previous = state.active?.digest ?? history.active?.digest;
  const isBack = state.isWithdrawn;
  const { digest, revision } = bundle;
  const signers = trust.signers.map(({ name }) => name);
  const entry: HistoryEntry = {
    digest,
    revision,
    content,
    version: fetched.version,
    archive_bytes: archiveBytesOf(fetched),
    size_bytes: fetched.archive.length,
    activated_at: timeNow(keeping),
    by,
    why,
    vouched_by: trust.by,
    signers,
  };
  state.active = entry;
  state.isWithdrawn = false;
  // It decides already: that is on record, whatever becomes of the history.
  if (previous !== digest || isBack) {
    await record(keeping, { event: "activated", digest, previous, revision, by, why, signers });
  }
  await changeNow(keeping, (before) => noteActivation(before, entry, mark, kind));
}

async function record(
  { deps, state }: Keeping,
  change: Pick<BundleChange, "event"> & Partial<BundleChange>,
): Promise<void> {
  const previous = state.active?.digest;
  const rest = { digest: undefined, revision: "", by: self, why: null, code: null, signers: [] };
  await deps.record({ ...rest, previous, ...change });
}
