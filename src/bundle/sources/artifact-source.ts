/**
 * A registry or layout as a source: a tag is polled by `HEAD`, and everything after that is asked
 * for by the digest that it gave, so that a tag that moves meanwhile mixes nothing up. What the
 * cache has is not fetched again; what is fetched gets there when somebody who trusts it keeps it.
 */
import type { Digest } from "../../contract/bundle.ts";
import type { BundleCache } from "../cache.ts";
import type { ContentSource } from "../content.ts";
import { isDigest } from "../digest.ts";
import { unexpected } from "../bundle-error.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import type { ArtifactReference } from "../reference.ts";
import { formatReference } from "../reference.ts";
import { createAuthMemory } from "./auth-memory.ts";
import type { BundleSource, FetchedBundle, Version } from "./bundle-source.ts";
import { holdContent } from "./held-content.ts";
import { openSource } from "./open-source.ts";
import { pollResult } from "./poll-result.ts";
import type { RegistryOptions } from "./registry-session.ts";

/** What a source of artifacts is handed. */
export interface ArtifactSourceOptions {
  readonly registry: RegistryOptions;
  /** Where a bundle that is trusted is kept, so that it can be had again when the place moved on. */
  readonly cache: BundleCache | undefined;
}

/** The source of a registry or layout reference. */
export function createArtifactSource(
  reference: ArtifactReference,
  options: ArtifactSourceOptions,
): BundleSource {
  const describe = formatReference(reference);
  const { clock } = options.registry;
  // What polling learns about signing in, fetching need not ask again.
  const registry = { memory: createAuthMemory(clock), ...options.registry };
  return {
    describe,
    isFixed: reference.digest !== undefined,
    poll: async (known, signal) =>
      await pollResult(known, async () => ({
        version: { id: await resolveNow(reference, known, { ...registry, signal }) },
      })),
    fetch: async (version, signal) =>
      await fetchVersion(reference, version, signal, { ...options, registry }),
    close: () => {},
  };
}

async function resolveNow(
  reference: ArtifactReference,
  known: Version | undefined,
  options: RegistryOptions,
): Promise<Digest> {
  if (reference.digest !== undefined) return reference.digest;
  const place = await openSource(reference, options);
  try {
    const id = known?.id ?? "";
    return await place.resolve(reference, isDigest(id) ? id : undefined);
  } finally {
    await place.close();
  }
}

async function fetchVersion(
  reference: ArtifactReference,
  version: Version,
  signal: AbortSignal,
  { registry, cache }: ArtifactSourceOptions,
): Promise<FetchedBundle> {
  const where = formatReference(reference);
  const digest = version.id;
  if (!isDigest(digest)) {
    throw unexpected("bundle_reference_invalid", where, "a digest as its version", "another text");
  }
  const place = await openSource(reference, { ...registry, signal });
  try {
    const fetched = await fetchFrom(place, cache, digest, where);
    const isRemote = reference.scheme === "oci";
    const origin = isRemote ? fetched.origin : "layout";
    return { ...fetched, version, digest, origin, close: place.close };
  } catch (thrown) {
    await place.close();
    throw thrown;
  }
}

async function fetchFrom(
  place: ContentSource,
  cache: BundleCache | undefined,
  digest: Digest,
  where: string,
): Promise<Pick<FetchedBundle, "archive" | "keep" | "origin" | "signed">> {
  if (cache === undefined) {
    const artifact = await fetchArtifact(place, digest, where);
    const { archive } = artifact;
    return { archive, origin: "registry", signed: { artifact, content: place }, keep: keepNothing };
  }
  const held = holdContent(cache, place);
  const { content } = held;
  const artifact = await fetchArtifact(content, digest, where);
  const origin = held.wasUsed() ? "registry" : "cache";
  const whole = await held.complete(artifact);
  const keep = (): Promise<void> => held.keep(whole);
  return { archive: artifact.archive, origin, signed: { artifact, content }, keep };
}

async function keepNothing(): Promise<void> {}
