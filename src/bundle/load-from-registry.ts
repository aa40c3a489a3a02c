/**
 * Loads a bundle from a registry. With the registry away the last good digest of the reference is
 * opened from the cache; a registry that is there and wrong is an error, whatever the cache has.
 */
import type { Log } from "../contract/ambient.ts";
import type { Bundle, Digest } from "../contract/bundle.ts";
import type { BundleDependencies } from "./bundle-dependencies.ts";
import { BundleError } from "./bundle-error.ts";
import { openCache, type BundleCache } from "./cache.ts";
import { fetchArtifact, type Artifact } from "./fetch-artifact.ts";
import { fetchReference } from "./fetch-reference.ts";
import { openArtifact, type Wanted } from "./open-artifact.ts";
import { formatReference, type RegistryReference } from "./reference.ts";

/**
 * Loads the bundle of a registry reference.
 *
 * @throws BundleError
 */
export async function loadFromRegistry(
  wanted: Wanted,
  reference: RegistryReference,
  options: BundleDependencies,
): Promise<Bundle> {
  const cache =
    options.cachePath === undefined ? undefined : openCache(options.cachePath, options.log);
  const where = formatReference(reference);
  try {
    const fetched = await fetchReference(reference, cache, options.registry);
    const bundle = await openArtifact(wanted, where, fetched.artifact, fetched.origin, options);
    await rememberGood(reference, fetched.artifact, cache, options.log);
    return bundle;
  } catch (thrown) {
    if (!(thrown instanceof BundleError) || thrown.code !== "bundle_unreachable") throw thrown;
    return await loadLastGood(wanted, reference, cache, thrown, options);
  }
}

async function loadLastGood(
  wanted: Wanted,
  reference: RegistryReference,
  cache: BundleCache | undefined,
  unreachable: BundleError,
  options: BundleDependencies,
): Promise<Bundle> {
  const where = formatReference(reference);
  const digest = reference.digest ?? (await cache?.lastGood(reference));
  if (cache === undefined || digest === undefined) throw unreachable;
  const bundle = await openCached(wanted, where, { cache, digest, unreachable }, options);
  const about = { bundle: wanted.name, reference: where, digest, problem: unreachable.message };
  options.log.warn(about, "registry is unreachable, using the last good bundle from the cache");
  return bundle;
}

/** A cached copy that cannot be used is not the news; that the registry is away is. */
async function openCached(
  wanted: Wanted,
  where: string,
  last: {
    readonly cache: BundleCache;
    readonly digest: Digest;
    readonly unreachable: BundleError;
  },
  options: BundleDependencies,
): Promise<Bundle> {
  try {
    const artifact = await fetchArtifact(last.cache.content, last.digest, where);
    return await openArtifact(wanted, where, artifact, "cache", options);
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    throw new BundleError(
      "bundle_unreachable",
      `${last.unreachable.message}; and its last good copy in the cache cannot be used: ${thrown.message}`,
      { cause: thrown },
    );
  }
}

async function rememberGood(
  reference: RegistryReference,
  { documents }: Artifact,
  cache: BundleCache | undefined,
  log: Log,
): Promise<void> {
  const [top] = documents;
  if (cache === undefined || top === undefined) return;
  try {
    await cache.remember(reference, top);
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    log.warn({ problem: thrown.message, code: thrown.code }, "bundle cache is degraded");
  }
}
