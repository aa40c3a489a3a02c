/**
 * How a source of policy is doing by what is kept of it in the state folder, for `bundle list` and for
 * the admin interface alike.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import type { HistoryPlace } from "../../bundle/life/bundle-history.ts";
import { emptyHistory, readHistory } from "../../bundle/life/bundle-history.ts";
import type { PlaceWithPolicy } from "../../config/policy-places.ts";
import { historyKey } from "./policy-place.ts";
import type { SourceStanding } from "./source-standing.ts";
import { sourceStanding } from "./source-standing.ts";

export type ReadStanding = Omit<SourceStanding, "state"> & {
  readonly state: SourceStanding["state"] | "unreadable";
};

/** One history that cannot be read hides no other. */
export async function readStanding(
  place: HistoryPlace,
  { name, policy }: Pick<PlaceWithPolicy, "name" | "policy">,
  nowMs: number,
): Promise<ReadStanding> {
  const key = historyKey(name, policy.reference);
  try {
    return sourceStanding(await readHistory(place, key), policy, nowMs);
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    const { code, message } = thrown;
    const standing = sourceStanding(emptyHistory(key), policy, nowMs);
    return { ...standing, state: "unreadable", code, message, errors: [{ code, message }] };
  }
}
