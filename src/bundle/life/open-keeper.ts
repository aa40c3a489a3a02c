/**
 * Puts together the keeper of one layer's bundle: its source, the signers that it needs, the cache,
 * and the way from fetched bytes to a bundle.
 */
import type { SourceTrust } from "../../config/config.ts";
import type { BundleDependencies } from "../bundle-dependencies.ts";
import { openCache } from "../cache.ts";
import type { LockLimits } from "./check-locked.ts";
import { requireLowest, requireReleased } from "./check-locked.ts";
import type { Wanted } from "../open-bundle.ts";
import { openBundleSource } from "../sources/open-bundle-source.ts";
import { openSigners } from "../verify/open-signers.ts";
import type { Proof } from "../verify/trust.ts";
import { BundleKeeper } from "./bundle-keeper.ts";
import { keepBundle, readKeptBundle } from "./kept-bundles.ts";
import type { KeeperDeps, KeeperOptions } from "./keeping.ts";
import type { TestPolicy } from "./prepare-candidate.ts";
import { prepareCandidate } from "./prepare-candidate.ts";

export interface OpenKeeperOptions
  extends LockLimits, Pick<KeeperOptions, "activation" | "locked" | "maxStalenessMs" | "pollMs"> {
  readonly wanted: Wanted;
  /** What its history is kept as; default the name of its bundle, which a companion's is not. */
  readonly layer?: string;
  /** As configured, paths absolute. */
  readonly reference: string;
  readonly trust: SourceTrust;
  /** How long a bundle service may hold an answer back. */
  readonly longPollMs: number | undefined;
}

export interface OpenKeeperDeps
  extends BundleDependencies, Omit<KeeperDeps, "keep" | "prepare" | "readKept"> {
  readonly cachePath: string;
  /** Runs the tests that a bundle ships. */
  readonly test: TestPolicy | undefined;
}

/**
 * Opens a keeper; asks nobody yet.
 *
 * @throws BundleError `bundle_reference_invalid`, `bundle_trust_invalid`
 */
export async function openKeeper(
  setting: OpenKeeperOptions,
  deps: OpenKeeperDeps,
): Promise<BundleKeeper> {
  const {
    wanted,
    layer = setting.wanted.name,
    reference,
    trust,
    longPollMs,
    locked,
    ...cadence
  } = setting;
  const cache = openCache(deps.cachePath, deps.log);
  const source = await openBundleSource(reference, { kind: wanted.kind, longPollMs }, deps);
  const options = {
    wanted,
    source: layer,
    reference: source.describe,
    require: trust.require,
    signers: openSigners(trust.signers),
    isPinned: source.isFixed || locked !== undefined,
    cached: cache.content,
    keepProof: ({ subject, manifest }: Proof) => cache.keepProof(subject, manifest),
    compile: deps.compile,
    test: deps.test,
  };
  const key = { layer, reference: source.describe };
  return new BundleKeeper(
    { ...cadence, key, source, locked },
    {
      ...deps,
      prepare: async (fetched, past) => {
        const where = `bundle "${wanted.name}" from ${source.describe}`;
        requireReleased(where, setting, fetched.digest);
        const candidate = await prepareCandidate(fetched, past, options);
        requireLowest(where, setting, candidate.mark);
        return candidate;
      },
      keep: (fetched) => keepBundle(cache, fetched),
      readKept: (entry) => readKeptBundle(cache, source.describe, entry),
    },
  );
}
