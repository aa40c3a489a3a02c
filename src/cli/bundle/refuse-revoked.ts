/**
 * What was revoked is not held: whoever wants it takes that back first.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import type { BundleHistory } from "../../bundle/life/bundle-history.ts";
import type { Digest } from "../../contract/bundle.ts";

/** @throws BundleError `bundle_revoked` */
export function refuseRevoked(name: string, { revoked }: BundleHistory, digest: Digest): void {
  const revocation = revoked.find((one) => one.digest === digest);
  if (revocation === undefined) return;
  const { at, by, why } = revocation;
  throw new BundleError(
    "bundle_revoked",
    `expected a bundle of "${name}" that is not revoked, found ${digest}, revoked by ${by} at ${at} (${why ?? "no reason given"}); if that was wrong, run bundle revoke ${name} ${digest} --undo --why REASON`,
  );
}
