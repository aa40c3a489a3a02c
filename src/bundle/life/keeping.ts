/**
 * What the steps of keeping one layer's bundle up to date share: what is wanted, what they are handed,
 * and what is known at the moment.
 */
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Bundle, BundleActivation, BundleChange, Digest } from "../../contract/bundle.ts";
import type { BundleSource, FetchedBundle, Version } from "../sources/bundle-source.ts";
import type {
  BundleHistory,
  HistoryEntry,
  HistoryKey,
  HistoryPlace,
  KeptBundle,
} from "./bundle-history.ts";
import { changeHistory, historyStamp, readHistory } from "./bundle-history.ts";
import type { Candidate, KnownPast } from "./prepare-candidate.ts";
import type { VetBundle } from "./vet-candidate.ts";

export interface KeeperOptions {
  readonly key: HistoryKey;
  readonly source: BundleSource;
  /** Of polls; `undefined` where the source is asked once. */
  readonly pollMs: number | undefined;
  readonly activation: "auto" | "manual" | "no_new_allow";
  /** Without a word of the source for so long the bundle is withdrawn. */
  readonly maxStalenessMs: number | undefined;
  /** What the lock says; the source is asked all the same, and never followed. */
  readonly locked: LockedBundle | undefined;
}

/** A bundle that the lock names. */
export interface LockedBundle {
  readonly digest: Digest;
  /** What its source calls it. */
  readonly version: Version;
}

/** Why a layer has no bundle any more. */
export type Withdrawal = "bundle_revoked" | "bundle_stale";

export interface KeeperDeps {
  readonly place: HistoryPlace;
  readonly prepare: (fetched: FetchedBundle, past: KnownPast) => Promise<Candidate>;
  /** What was fetched before, from this machine alone. */
  readonly readKept: (kept: KeptBundle) => Promise<FetchedBundle>;
  /** Keeps what was fetched where its source may be away later. */
  readonly keep: (fetched: FetchedBundle) => Promise<void>;
  /** Makes a bundle active, or takes it away; resolves when it decides, or cannot. */
  readonly activate: (bundle: Bundle | undefined) => Promise<BundleActivation>;
  /** Says whether a bundle allows anything new; without it nobody can say, and such bundles wait. */
  readonly vet?: VetBundle | undefined;
  /** Puts a change of what decides into the record. */
  readonly record: (change: BundleChange) => Promise<void>;
  /** Told of each request that failed, and of each bundle that was refused. */
  readonly onFailure?: (() => void) | undefined;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** What is known now; changed by one step at a time. */
export interface KeepingState {
  active: HistoryEntry | undefined;
  /** What the source had at last, where that was dealt with. */
  known: Version | undefined;
  /** The active bundle was taken away. */
  isWithdrawn: boolean;
  /** Polls in a row. */
  failures: number;
  askAgainMs: number | undefined;
  /** When the source was heard of; monotonic. */
  heardMs: number;
  /** Of the history, as it was last read; `""` while it has decisions that were not followed. */
  stamp: string;
  /** The decisions in the history that were followed, as text. */
  decisions: string;
  /** The choice that was acted on, however that went. */
  followed: string;
  /** How often in a row that failed in a way that may pass, and when it is tried again; monotonic. */
  retry: { readonly failures: number; readonly atMs: number } | undefined;
}

export interface Keeping {
  readonly options: KeeperOptions;
  readonly deps: KeeperDeps;
  readonly state: KeepingState;
  /** Aborts when the keeper closes, and where somebody decided and cannot wait for a source. */
  readonly signal: AbortSignal;
}

/** Who did what nobody else did. */
export const self = "gateway";

/** The history, read now. What others decided meanwhile is left for the next look to follow. */
export async function historyNow({ deps, options, state }: Keeping): Promise<BundleHistory> {
  const stamp = await historyStamp(deps.place, options.key);
  const history = await readHistory(deps.place, options.key);
  state.stamp = decisionsIn(history) === state.decisions ? stamp : "";
  return history;
}

/** Changes the history, without taking that for a decision of others, nor hiding one. */
export async function changeNow(
  keeping: Keeping,
  change: (before: BundleHistory) => BundleHistory,
): Promise<BundleHistory> {
  await changeHistory(keeping.deps.place, keeping.options.key, change);
  return await historyNow(keeping);
}

/** All that people decided, to be compared; what became of it is no decision. */
export function decisionsIn({ hold, revoked }: BundleHistory): string {
  const { digest, at, by, why } = hold ?? {};
  return JSON.stringify([digest, at, by, why, revoked]);
}

/** RFC 3339. */
export function timeNow({ deps }: Keeping): string {
  return new Date(deps.clock.nowMs()).toISOString();
}

export function entryOf(history: BundleHistory, digest: Digest): HistoryEntry | undefined {
  const entries = [history.active, ...history.previous];
  return entries.find((entry) => entry?.digest === digest) ?? undefined;
}

/** A bundle that goes before what the source has. */
export interface Choice {
  readonly digest: Digest;
  /** What the source calls it. */
  readonly version: Version;
  readonly by: string;
  readonly why: string | null;
}

/** What somebody chose, or else the lock. */
export function choiceOf(
  { options }: Pick<Keeping, "options">,
  { hold }: BundleHistory,
): Choice | undefined {
  const { locked } = options;
  if (hold === null) return locked && { ...locked, by: "lock", why: null };
  const { digest, by, why } = hold;
  const version = locked?.digest === digest ? locked.version : { id: digest };
  return { digest, by, why, version };
}
