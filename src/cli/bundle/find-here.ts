/**
 * What is on this machine of a bundle that no gateway has had yet: in its layout, or in the cache.
 */
import { openArchive } from "../../bundle/archive.ts";
import { BundleError } from "../../bundle/bundle-error.ts";
import type { Artifact } from "../../bundle/fetch-artifact.ts";
import { fetchArtifact } from "../../bundle/fetch-artifact.ts";
import type { Wanted } from "../../bundle/open-bundle.ts";
import { openBundle } from "../../bundle/open-bundle.ts";
import type { LayoutReference, Reference } from "../../bundle/reference.ts";
import { formatReference, parseReference } from "../../bundle/reference.ts";
import { openSource } from "../../bundle/sources/open-source.ts";
import { buildSources } from "./build-sources.ts";
import type { BundleContext } from "./bundle-context.ts";

export interface FoundHere {
  /** `ready`, `cached`, `not_pulled`, `not_asked`, `source_folder`, or the code of a failure. */
  readonly state: string;
  readonly digest: string | null;
  readonly revision: string | null;
  readonly size_bytes: number | null;
}

/** Looks for it, and opens it where it is. */
export async function findHere(
  { name, kind, opaque, reference }: Wanted & { readonly reference: string },
  context: BundleContext,
): Promise<FoundHere> {
  const nothing = { digest: null, revision: null, size_bytes: null };
  try {
    const parsed = parseReference(reference);
    const found = await findArtifact(parsed, context);
    if (typeof found === "string") return { state: found, ...nothing };
    const about = { name, kind, opaque, reference, digest: found.digest, origin: "cache" } as const;
    const { revision } = await openBundle(openArchive(found.archive), about, buildSources);
    const state = parsed.scheme === "oci" ? "cached" : "ready";
    const { digest, layer } = found;
    return { state, digest, revision, size_bytes: layer.size };
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    return { state: thrown.code, ...nothing };
  }
}

/** The artifact where it is on this machine, else the state that says where it is. */
async function findArtifact(
  reference: Reference,
  { cache, registry }: BundleContext,
): Promise<Artifact | "source_folder" | "not_asked" | "not_pulled"> {
  switch (reference.scheme) {
    case "file":
      return "source_folder";
    case "https":
    case "git":
      return "not_asked";
    case "oci-layout":
      return await readLayout(reference, registry);
    case "oci": {
      const digest = await cache.pulled(reference);
      if (digest === undefined) return "not_pulled";
      return await fetchArtifact(cache.content, digest, formatReference(reference));
    }
  }
}

async function readLayout(
  reference: LayoutReference,
  registry: BundleContext["registry"],
): Promise<Artifact> {
  const place = await openSource(reference, registry);
  try {
    const digest = await place.resolve(reference);
    return await fetchArtifact(place, digest, formatReference(reference));
  } finally {
    await place.close();
  }
}
