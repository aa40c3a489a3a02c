/**
 * What people decided about a source: the bundle that is to be active whatever the source has, and
 * those that must not be. Works without the source, from what was kept. A choice that cannot be
 * followed for a reason that may pass is tried again, ever less often.
 */
import type { Digest } from "../../contract/bundle.ts";
import { messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { FetchedBundle } from "../sources/bundle-source.ts";
import type { BundleHistory, KeptBundle } from "./bundle-history.ts";
import { isRevoked, noteRetry, previousGood } from "./history-changes.ts";
import type { Choice, Keeping } from "./keeping.ts";
import { changeNow, choiceOf, decisionsIn, entryOf } from "./keeping.ts";
import { nextDelayMs } from "./poll-delay.ts";
import type { Use, Wish } from "./use-candidate.ts";
import { refuseBundle, useBundle, withdraw } from "./use-candidate.ts";

/** Of fetching; what was fetched and is no good stays so. */
const passing = new Set<string>([
  "bundle_not_found",
  "bundle_state_unusable",
  "bundle_storage_failed",
  "bundle_unauthorized",
  "bundle_unreachable",
  "unexpected",
]);
const longestRetryMs = 10 * 60_000;

/**
 * Does what people decided; true where the source is to be asked again: nobody holds it any more, or
 * what it has was revoked, or reinstated.
 */
export async function followChoice(keeping: Keeping, history: BundleHistory): Promise<boolean> {
  const { state } = keeping;
  const isNews = state.decisions !== "" && state.decisions !== decisionsIn(history);
  state.decisions = decisionsIn(history);
  const choice = choiceOf(keeping, history);
  const name = choice === undefined ? "" : `${choice.digest} ${history.hold?.at ?? ""}`;
  const wasFollowed = state.followed;
  state.followed = name;
  const isDue = name !== wasFollowed || isRetryDue(keeping);
  if (name !== wasFollowed) state.retry = undefined;
  if (choice !== undefined && isDue) await tryChoice(keeping, history, choice);
  const { active } = state;
  if (active !== undefined && isRevoked(history, active)) await leave(keeping, history);
  if (name !== "" || (wasFollowed === "" && !isNews)) return false;
  state.known = undefined;
  return true;
}

/** True where a choice waits to be tried again, and has waited long enough. */
export function isRetryDue({ deps, state }: Keeping): boolean {
  return state.retry !== undefined && deps.clock.monotonicMs() >= state.retry.atMs;
}

/** The bundle that was active last, verified again, where nothing speaks against it. */
export async function useLastGood(keeping: Keeping, history: BundleHistory): Promise<void> {
  const { active } = history;
  if (active === null || isRevoked(history, active) || isStale(keeping, history)) return;
  const { by, digest, why } = active;
  const { layer } = keeping.options.key;
  keeping.deps.log.warn({ layer, digest }, "using the last good bundle");
  await useKept(keeping, active, history, { by, why, kind: "restored" });
}

/** True where the source was not heard of for too long. */
export function isStale({ options, deps, state }: Keeping, { status }: BundleHistory): boolean {
  const { maxStalenessMs, source } = options;
  if (maxStalenessMs === undefined || source.isFixed) return false;
  if (deps.clock.monotonicMs() - state.heardMs <= maxStalenessMs) return false;
  const heardMs = Date.parse(status.last_successful_request ?? "");
  return Number.isNaN(heardMs) || deps.clock.nowMs() - heardMs > maxStalenessMs;
}

async function tryChoice(keeping: Keeping, history: BundleHistory, choice: Choice): Promise<void> {
  const { deps, options, state } = keeping;
  const use = await choose(keeping, history, choice);
  if (use !== "again" || keeping.signal.aborted) {
    state.retry = undefined;
    return;
  }
  const failures = (state.retry?.failures ?? 0) + 1;
  const timing = { pollMs: longestRetryMs, failures, askAgainMs: undefined, random: deps.random };
  const inMs = nextDelayMs(timing);
  state.retry = { failures, atMs: deps.clock.monotonicMs() + inMs };
  const at = new Date(deps.clock.nowMs() + inMs).toISOString();
  const { digest } = choice;
  await changeNow(keeping, (before) => noteRetry(before, digest, at));
  const { layer } = options.key;
  deps.log.warn({ layer, digest, failures, next_try_at: at }, "a chosen bundle is tried again");
}

async function choose(keeping: Keeping, history: BundleHistory, choice: Choice): Promise<Use> {
  const { digest, version, by, why } = choice;
  if (digest === keeping.state.active?.digest && !keeping.state.isWithdrawn) return "active";
  if (isRevoked(history, { digest })) {
    await refuseBundle(keeping, { digest }, "bundle_revoked", "it was revoked");
    return "refused";
  }
  const wish = { by, why, kind: "chosen" } as const;
  const kept = entryOf(history, digest) ?? keptCandidate(history, digest);
  if (kept !== undefined) return await useKept(keeping, kept, history, wish);
  const { source } = keeping.options;
  return await use(keeping, digest, history, wish, () => source.fetch(version, keeping.signal));
}

/** A source that has no artifacts cannot be asked for one bundle by its digest. */
function keptCandidate({ candidate }: BundleHistory, digest: Digest): KeptBundle | undefined {
  const { version, archive_bytes } = candidate ?? {};
  if (candidate?.digest !== digest || version === undefined) return undefined;
  return typeof archive_bytes === "number" ? { digest, version, archive_bytes } : undefined;
}

async function leave(keeping: Keeping, history: BundleHistory): Promise<void> {
  const { active } = keeping.state;
  const revocation = history.revoked.find((one) => active && isRevoked({ revoked: [one] }, active));
  const next = previousGood(history);
  if (next !== undefined && revocation !== undefined) {
    const { by, why } = revocation;
    await useKept(keeping, next, history, { by, why, kind: "chosen" });
  }
  if (keeping.state.active === active) await withdraw(keeping, "bundle_revoked", revocation);
}

async function useKept(
  keeping: Keeping,
  entry: KeptBundle,
  history: BundleHistory,
  wish: Wish,
): Promise<Use> {
  return await use(keeping, entry.digest, history, wish, () => keeping.deps.readKept(entry));
}

async function use(
  keeping: Keeping,
  digest: Digest,
  history: BundleHistory,
  wish: Wish,
  fetch: () => Promise<FetchedBundle>,
): Promise<Use> {
  try {
    const fetched = await fetch();
    try {
      if (fetched.digest !== digest) throw otherBundle(keeping, digest, fetched.digest);
      return await useBundle(keeping, fetched, history, wish);
    } finally {
      await fetched.close();
    }
  } catch (thrown) {
    if (keeping.signal.aborted) return "again";
    const code = thrown instanceof BundleError ? thrown.code : "unexpected";
    await refuseBundle(keeping, { digest }, code, messageOf(thrown));
    return passing.has(code) ? "again" : "refused";
  }
}

function otherBundle({ options }: Keeping, expected: Digest, found: Digest): BundleError {
  return new BundleError(
    "bundle_digest_mismatch",
    `bundle "${options.key.layer}" from ${options.key.reference}: expected ${expected}, found ${found}; the source has another bundle under that name now`,
  );
}
