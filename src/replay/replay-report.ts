/**
 * What a replay came to, in the words and the order in which it is printed: the same for the same
 * history and candidate.
 */
import type { ReplayBucket } from "./replay-buckets.ts";
import { replayBuckets } from "./replay-buckets.ts";
import type { ReplayGroup, ReplayTally } from "./replay-tally.ts";

/** As it is printed; snake_case. */
export interface ReplayReport {
  /** Recorded decisions that the layer has a say in. */
  readonly decisions: number;
  /** Of them those that could be asked about again. */
  readonly replayed: number;
  /** From 0 to 1; 0 where there were none. */
  readonly replayed_share: number;
  readonly unchanged: number;
  /** Recorded decisions that the layer has no say in, beside `decisions`. */
  readonly not_asked: number;
  readonly buckets: Readonly<Record<ReplayBucket, number>>;
  readonly groups: readonly ReplayGroup[];
}

/** The report of a tally. */
export function reportOf({ decisions, unchanged, notAsked, groups }: ReplayTally): ReplayReport {
  const all = [...groups.values()].toSorted(inOrder);
  const buckets = countBuckets(all);
  const replayed = decisions - buckets.not_replayable;
  return {
    decisions,
    replayed,
    replayed_share: decisions === 0 ? 0 : Math.floor((replayed / decisions) * 10_000) / 10_000,
    unchanged,
    not_asked: notAsked,
    buckets,
    groups: all,
  };
}

function countBuckets(groups: readonly ReplayGroup[]): ReplayReport["buckets"] {
  const counts: Record<ReplayBucket, number> = {
    newly_denied: 0,
    newly_allowed: 0,
    now_held: 0,
    no_longer_held: 0,
    reason_only: 0,
    obligations_only: 0,
    labels_only: 0,
    error: 0,
    slower: 0,
    not_replayable: 0,
  };
  for (const { bucket, count } of groups) counts[bucket] += count;
  return counts;
}

/** By bucket, then the most first, then by sample, which no two groups share. */
function inOrder(left: ReplayGroup, right: ReplayGroup): number {
  return (
    replayBuckets.indexOf(left.bucket) - replayBuckets.indexOf(right.bucket) ||
    right.count - left.count ||
    (left.sample < right.sample ? -1 : 1)
  );
}
