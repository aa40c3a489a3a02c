/**
 * What the lock forbids whoever chose a bundle: one that a release does not have, and one older than
 * the lowest acceptable revision.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import type { VersionMark } from "../verify/version-order.ts";
import { isDowngrade } from "../verify/version-order.ts";

export interface LockLimits {
  readonly onlyDigest?: Digest | undefined;
  readonly lowestRevision?: string | undefined;
}

/**
 * Refuses another bundle than that of the release.
 *
 * @param where - bundle and reference for messages
 * @throws BundleError `bundle_release_mismatch`
 */
export function requireReleased(where: string, { onlyDigest }: LockLimits, digest: Digest): void {
  if (onlyDigest === undefined || digest === onlyDigest) return;
  throw new BundleError(
    "bundle_release_mismatch",
    `${where}: expected ${onlyDigest}, which the release in the lock binds, found ${digest}; move program, pins and bundle together with server upgrade or server rollback`,
  );
}

/**
 * Refuses what is older than the lock accepts.
 *
 * @throws BundleError `bundle_downgrade`
 */
export function requireLowest(
  where: string,
  { lowestRevision }: LockLimits,
  { revision }: Pick<VersionMark, "revision">,
): void {
  if (lowestRevision === undefined || !isOlder(revision, lowestRevision)) return;
  throw new BundleError(
    "bundle_downgrade",
    `${where}: expected revision "${lowestRevision}" or later, as lowest_revision of the lock has it, found "${revision}"; change the lock if that is meant`,
  );
}

/** True for a bundle that may be active under a lock. */
export function isWithinLock(
  { onlyDigest, lowestRevision }: LockLimits,
  { digest, revision }: { readonly digest: string; readonly revision: string },
): boolean {
  const isOther = onlyDigest !== undefined && digest !== onlyDigest;
  return !isOther && (lowestRevision === undefined || !isOlder(revision, lowestRevision));
}

/** True for a revision that others can be older than: a semantic version. */
export function isOrdered(revision: string): boolean {
  return isOlder("", revision);
}

function isOlder(revision: string, than: string): boolean {
  const rest = { sequence: undefined, createdSeconds: undefined };
  return isDowngrade({ revision: than, ...rest }, { revision, ...rest });
}
