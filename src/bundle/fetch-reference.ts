/**
 * Fetches what a reference stands for now. A tag is asked for each time, and what the cache has of
 * the answer is not fetched again; a pinned digest that the cache has needs no network.
 */
import type { Bundle } from "../contract/bundle.ts";
import { BundleError } from "./bundle-error.ts";
import type { BundleCache } from "./cache.ts";
import type { ContentSource } from "./content.ts";
import { fetchArtifact, type Artifact } from "./fetch-artifact.ts";
import { formatReference, type LayoutReference, type RegistryReference } from "./reference.ts";
import { openSource } from "./sources/open-source.ts";
import type { RegistryOptions } from "./sources/registry-session.ts";

const maxConfigBytes = 1024 * 1024;

export interface Fetched {
  readonly artifact: Artifact;
  readonly origin: Exclude<Bundle["origin"], "folder">;
}

/**
 * Fetches the artifact of a reference, all bytes checked. A layout is read as it is, a registry
 * through the cache.
 *
 * @throws BundleError
 */
export async function fetchReference(
  reference: RegistryReference | LayoutReference,
  cache: BundleCache | undefined,
  options: RegistryOptions,
): Promise<Fetched> {
  const isRemote = reference.scheme === "oci";
  const pinned = isRemote ? await fetchPinned(reference, cache) : undefined;
  if (pinned !== undefined) return { artifact: pinned, origin: "cache" };
  const place = await openSource(reference, options);
  try {
    const source = isRemote && cache !== undefined ? cache.inFrontOf(place) : place;
    const digest = await source.resolve(reference);
    const artifact = await fetchArtifact(source, digest, formatReference(reference));
    if (source !== place) await fetchConfig(source, artifact);
    return { artifact, origin: isRemote ? "registry" : "layout" };
  } finally {
    await place.close();
  }
}

/** Of no use here, but a layout without its config is none to other tools. */
async function fetchConfig(source: ContentSource, { manifest }: Artifact): Promise<void> {
  if (manifest.config === undefined) return;
  try {
    await source.readBlob(manifest.config, maxConfigBytes);
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
  }
}

/** A cached copy that is damaged or not whole counts as none; the registry has another. */
async function fetchPinned(
  reference: RegistryReference,
  cache: BundleCache | undefined,
): Promise<Artifact | undefined> {
  if (reference.digest === undefined || cache === undefined) return undefined;
  try {
    return await fetchArtifact(cache.content, reference.digest, formatReference(reference));
  } catch (thrown) {
    if (thrown instanceof BundleError) return undefined;
    throw thrown;
  }
}
