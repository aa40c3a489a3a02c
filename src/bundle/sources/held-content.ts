/**
 * What is read of a place before anybody vouches for it: looked up in the cache, had from the place
 * where the cache has none, and written nowhere. Whoever trusts it has it kept: the artifact, and
 * the signature that proved it. Signatures are tried one after the other and reading ends with the
 * one that is good, so no more than the last one read is held in memory.
 */
import { BundleError } from "../bundle-error.ts";
import type { BundleCache } from "../cache.ts";
import type { ContentSource } from "../content.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { Artifact } from "../fetch-artifact.ts";
import type { Descriptor, ManifestBytes } from "../oci-document.ts";

/** Content that is not kept yet. */
export interface HeldContent {
  readonly content: ContentSource;
  /** True once the place itself sent something. */
  readonly wasUsed: () => boolean;
  /** Reads the rest of an artifact that was fetched through `content`. */
  readonly complete: (artifact: Artifact) => Promise<CompleteArtifact>;
  /** Writes an artifact into the cache, and after `keepProof` what that names; asks the place nothing. */
  readonly keep: (artifact: CompleteArtifact) => Promise<void>;
}

/** An artifact with all that its manifest names, and whether the cache lacks some of it. */
interface CompleteArtifact {
  readonly artifact: Artifact;
  readonly config: Part | undefined;
  readonly isNew: boolean;
}

interface Part {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** Of signatures, the one that was read last. */
interface LastRead {
  manifest: ManifestBytes | undefined;
  blob: Part | undefined;
}

const maxConfigBytes = 1024 * 1024;

/** Reads a place with the cache before it, and holds what is read. */
export function holdContent(cache: BundleCache, place: ContentSource): HeldContent {
  const watched = noteUse(place);
  const { content, last } = noteLast(cache.peekBefore(watched.source));
  return {
    content,
    wasUsed: watched.wasUsed,
    complete: async (artifact) => {
      const isNew = watched.wasUsed();
      const config = isNew ? await readConfig(content, artifact.manifest.config) : undefined;
      return { artifact, config, isNew };
    },
    keep: async (whole) => {
      if (whole.isNew) await keepArtifact(cache, whole);
      await keepLastProof(cache, whole.artifact, last);
    },
  };
}

/** Of no use here, but an artifact without its config is none to other tools. */
async function readConfig(
  source: ContentSource,
  config: Descriptor | undefined,
): Promise<Part | undefined> {
  if (config === undefined) return undefined;
  try {
    return { digest: config.digest, bytes: await source.readBlob(config, maxConfigBytes) };
  } catch (thrown) {
    if (thrown instanceof BundleError) return undefined;
    throw thrown;
  }
}

/** What names something comes after it: a manifest that is there has its content. */
async function keepArtifact(
  cache: BundleCache,
  { artifact, config }: CompleteArtifact,
): Promise<void> {
  const { archive, documents, layer } = artifact;
  const blobs = config === undefined ? [] : [config];
  const manifests = documents.toReversed();
  for (const part of [{ digest: layer.digest, bytes: archive }, ...blobs, ...manifests]) {
    await cache.keepPart(part.bytes, part.digest);
  }
}

/** Only what `keepProof` noted is a proof; whatever else was read last is left where it was. */
async function keepLastProof(
  cache: BundleCache,
  { documents }: Artifact,
  { manifest, blob }: LastRead,
): Promise<void> {
  if (manifest === undefined || blob === undefined) return;
  for (const subject of documents) {
    const proofs = await cache.content.referrers(subject.digest);
    if (!proofs.some(({ digest }) => digest === manifest.digest)) continue;
    await cache.keepPart(blob.bytes, blob.digest);
    return await cache.keepPart(manifest.bytes, manifest.digest);
  }
}

function noteLast(source: ContentSource): {
  readonly content: ContentSource;
  readonly last: LastRead;
} {
  const last: LastRead = { manifest: undefined, blob: undefined };
  const content: ContentSource = {
    ...source,
    readManifest: async (digest) => {
      last.blob = undefined;
      last.manifest = await source.readManifest(digest);
      return last.manifest;
    },
    readBlob: async (descriptor, maxBytes) => {
      const bytes = await source.readBlob(descriptor, maxBytes);
      last.blob = { digest: descriptor.digest, bytes };
      return bytes;
    },
  };
  return { content, last };
}

/** Tells whether content came from here or was in the cache already. */
function noteUse(source: ContentSource): {
  readonly source: ContentSource;
  readonly wasUsed: () => boolean;
} {
  let used = false;
  return {
    wasUsed: () => used,
    source: {
      ...source,
      readManifest: async (digest) => {
        used = true;
        return await source.readManifest(digest);
      },
      readBlob: async (descriptor, maxBytes) => {
        used = true;
        return await source.readBlob(descriptor, maxBytes);
      },
    },
  };
}
