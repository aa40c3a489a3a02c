/**
 * Looks whether a bundle that somebody wants to be active could be: it is on this machine, whoever
 * has to vouch for it does, and it opens. The gateway does all of that again; this is so that a
 * person who cannot have what they want is told so, and nothing changes.
 */
import { openCache } from "../../bundle/cache.ts";
import { BundleError } from "../../bundle/bundle-error.ts";
import type { KeptBundle } from "../../bundle/life/bundle-history.ts";
import { readKeptBundle } from "../../bundle/life/kept-bundles.ts";
import { prepareCandidate } from "../../bundle/life/prepare-candidate.ts";
import type { Bundle } from "../../contract/bundle.ts";
import { openSigners } from "../../bundle/verify/open-signers.ts";
import type { CliIo } from "../io.ts";
import { talkingLog } from "../talking-log.ts";
import { buildSources } from "./build-sources.ts";
import type { KeptPlace } from "./policy-place.ts";

/**
 * Checks a bundle from the cache alone; answers what it is.
 *
 * @throws BundleError
 */
export async function checkKept(
  io: CliIo,
  { base: name, kind, policy, paths, key: { reference } }: KeptPlace,
  kept: KeptBundle,
): Promise<{
  readonly bundle: Bundle;
  readonly revision: string;
  readonly signers: readonly string[];
}> {
  const cache = openCache(paths.cacheDir, talkingLog(io));
  try {
    const fetched = await readKeptBundle(cache, reference, kept);
    const { bundle, trust } = await prepareCandidate(
      fetched,
      // Its version is no matter where a person names it, and its tests are the gateway's to run.
      { highest: undefined, isTested: true, revoked: new Set() },
      {
        wanted: { name, kind, opaque: policy.opaque },
        reference,
        require: policy.trust.require,
        signers: openSigners(policy.trust.signers),
        isPinned: true,
        cached: cache.content,
        keepProof: async () => {},
        compile: buildSources,
        test: undefined,
      },
    );
    const signers = trust.signers.map((signer) => signer.name);
    return { bundle, revision: bundle.revision, signers };
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    const message = `bundle ${kept.digest} cannot be used: ${thrown.message}; nothing was changed`;
    throw new BundleError(thrown.code, message, { cause: thrown });
  }
}
