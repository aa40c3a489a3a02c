/**
 * Sums of a replay: how many of what, with one decision as a sample. Tallies of parts of a history
 * add up to the same whatever the parts and their order.
 */
import type { ReplayBucket } from "./replay-buckets.ts";

/** What became of one recorded decision. */
export type Replayed =
  /** The replaced layer has nothing to say about it. */
  | { readonly kind: "not_asked" }
  | { readonly kind: "unchanged" }
  | ({ readonly kind: "changed" } & ReplayChange);

/** One difference, without the decision that it was found on. */
export interface ReplayChange {
  readonly bucket: ReplayBucket;
  /** The first rule that refuses or holds, before or after; `null` where none does. */
  readonly rule: string | null;
  /** Code of that rule, of the failure, or of why it cannot be replayed; `null` where there is none. */
  readonly reason: string | null;
}

/** Differences that are alike. */
export interface ReplayGroup extends ReplayChange {
  readonly server: string | null;
  readonly tool: string | null;
  readonly count: number;
  /** The oldest decision of them. */
  readonly sample: string;
}

export interface ReplayTally {
  /** Decisions that the replaced layer has a say in. */
  readonly decisions: number;
  readonly unchanged: number;
  readonly notAsked: number;
  readonly groups: ReadonlyMap<string, ReplayGroup>;
}

/** What a decision is known by. */
interface About {
  readonly id: string;
  readonly server: string | null;
  readonly tool: string | null;
}

/** Nothing was replayed yet. */
export const emptyTally: ReplayTally = {
  decisions: 0,
  unchanged: 0,
  notAsked: 0,
  groups: new Map(),
};

/** Adds up decisions one by one. */
export class TallyBuilder {
  #decisions = 0;
  #unchanged = 0;
  #notAsked = 0;
  readonly #groups = new Map<string, ReplayGroup>();

  add(replayed: Replayed, { id, server, tool }: About): void {
    if (replayed.kind === "not_asked") {
      this.#notAsked += 1;
      return;
    }
    this.#decisions += 1;
    if (replayed.kind === "unchanged") {
      this.#unchanged += 1;
      return;
    }
    const { bucket, rule, reason } = replayed;
    const group = { bucket, server, tool, rule, reason, count: 1, sample: id };
    addGroup(this.#groups, keyOf(group), group);
  }

  finish(): ReplayTally {
    return {
      decisions: this.#decisions,
      unchanged: this.#unchanged,
      notAsked: this.#notAsked,
      groups: this.#groups,
    };
  }
}

/** Both together. */
export function addTallies(left: ReplayTally, right: ReplayTally): ReplayTally {
  const groups = new Map(left.groups);
  for (const [key, group] of right.groups) addGroup(groups, key, group);
  return {
    decisions: left.decisions + right.decisions,
    unchanged: left.unchanged + right.unchanged,
    notAsked: left.notAsked + right.notAsked,
    groups,
  };
}

function addGroup(groups: Map<string, ReplayGroup>, key: string, group: ReplayGroup): void {
  const known = groups.get(key);
  if (known === undefined) {
    groups.set(key, group);
    return;
  }
  const sample = known.sample < group.sample ? known.sample : group.sample;
  groups.set(key, { ...known, count: known.count + group.count, sample });
}

function keyOf({ bucket, server, tool, rule, reason }: ReplayGroup): string {
  return JSON.stringify([bucket, server, tool, rule, reason]);
}
