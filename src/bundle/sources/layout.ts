/**
 * An OCI image layout (image specification, "Image Layout Specification") as a place to read
 * bundles from and to put them: what `npm run build` makes, what skopeo and the ORAS CLI copy to
 * and from, and the form of the cache. Everything read is hashed again, each time.
 */
import { join } from "node:path";
import type { Digest } from "../../contract/bundle.ts";
import { BundleError, unexpected } from "../bundle-error.ts";
import type { ContentSink, ContentSource, TagOrDigest } from "../content.ts";
import { checkedBytes, isDigest, splitDigest } from "../digest.ts";
import type { Descriptor, LayoutEntry, LayoutIndex } from "../oci-document.ts";
import {
  attachmentTypes,
  maxManifestBytes,
  mediaTypes,
  parseLayoutIndex,
  quoteForeign,
} from "../oci-document.ts";
import type { FileModes } from "./layout-file.ts";
import { readLayoutFile, writeLayoutFile } from "./layout-file.ts";
import { withLayoutLock } from "./layout-lock.ts";

/** The annotation that is a layout's tag. */
const refNameAnnotation = "org.opencontainers.image.ref.name";

/** A layout of a whole registry is no place to look for one bundle's signatures. */
const maxScannedManifests = 1000;

const layoutMarker = '{"imageLayoutVersion":"1.0.0"}';
const emptyIndex: LayoutIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };

/** Opens a layout for reading; nothing is read yet. */
export function readableLayout(path: string): ContentSource {
  return {
    resolve: async (version) => await resolve(path, version),
    readManifest: async (digest) => {
      const bytes = await readBlobFile(path, digest, maxManifestBytes);
      return { digest, bytes, mediaType: undefined };
    },
    readBlob: async (descriptor, maxBytes) => await readBlob(path, descriptor, maxBytes),
    referrers: async (subject) => await listLayoutReferrers(path, subject),
  };
}

/** Opens a layout for writing; folder and index are made with the first write. */
export function writableLayout(path: string, modes: FileModes): ContentSink {
  const writeManifest: ContentSink["writeManifest"] = async (bytes, descriptor, tag) => {
    await writeLayoutFile(blobPath(path, descriptor.digest), bytes, modes);
    await changeIndex(path, modes, (index) => addToIndex(index, descriptor, tag));
  };
  return {
    writeBlob: async (bytes, { digest }) => {
      await writeLayoutFile(blobPath(path, digest), bytes, modes);
    },
    writeManifest,
    // The index names it, and that is where its subject is looked for.
    attach: async (bytes, descriptor) => {
      await writeManifest(bytes, descriptor, undefined);
    },
  };
}

/** Takes manifests out of the index of a layout, where it has one that names them. */
export async function removeFromIndex(
  path: string,
  modes: FileModes,
  isRemoved: (digest: string) => boolean,
): Promise<void> {
  const named = (await readIndex(path))?.manifests ?? [];
  if (!named.some(({ digest }) => isRemoved(digest))) return;
  await changeIndex(path, modes, (index) => ({
    ...index,
    manifests: index.manifests.filter(({ digest }) => !isRemoved(digest)),
  }));
}

/** Reads, changes and writes the index of a layout under its lock. */
async function changeIndex(
  path: string,
  modes: FileModes,
  change: (index: LayoutIndex) => LayoutIndex,
): Promise<void> {
  const indexPath = join(path, "index.json");
  await withLayoutLock(`${indexPath}.lock`, modes, async () => {
    const before = (await readIndex(path)) ?? emptyIndex;
    await writeLayoutFile(join(path, "oci-layout"), Buffer.from(layoutMarker), modes);
    await writeLayoutFile(indexPath, Buffer.from(JSON.stringify(change(before))), modes);
  });
}

async function resolve(path: string, { tag, digest }: TagOrDigest): Promise<Digest> {
  if (digest !== undefined) return digest;
  const index = await readIndex(path);
  if (index === undefined) {
    throw notFound(
      path,
      "an OCI layout there",
      "none; bundle push makes one, npm run build the demo's",
    );
  }
  const named = index.manifests.filter(({ annotations, artifactType }) =>
    // Signatures and reports lie beside what they are for, without a tag.
    tag === undefined
      ? !attachmentTypes.has(artifactType)
      : annotations?.[refNameAnnotation] === tag,
  );
  const [found, ...others] = named;
  const wanted = tag === undefined ? "one manifest, or a tag" : `one manifest with tag "${tag}"`;
  if (found === undefined) throw notFound(path, wanted, `none; tags are ${listTags(index)}`);
  if (others.length > 0)
    throw notFound(path, wanted, `${named.length}; tags are ${listTags(index)}`);
  if (isDigest(found.digest)) return found.digest;
  throw notFound(path, "a sha256 or sha512 digest", quoteForeign(found.digest));
}

/** A layout has no list of referrers: every manifest that its index names is looked at. */
async function listLayoutReferrers(path: string, subject: Digest): Promise<readonly Descriptor[]> {
  const index = await readIndex(path);
  const entries = (index?.manifests ?? []).filter(
    ({ mediaType }) => mediaType !== mediaTypes.index,
  );
  const found: Descriptor[] = [];
  for (const { digest, mediaType, size, artifactType } of entries.slice(0, maxScannedManifests)) {
    if (!isDigest(digest) || digest === subject) continue;
    const bytes = await readLayoutFile(blobPath(path, digest), maxManifestBytes);
    if (bytes?.includes(subject) === true) found.push({ mediaType, digest, size, artifactType });
  }
  return found;
}

async function readIndex(path: string): Promise<LayoutIndex | undefined> {
  const marker = await readLayoutFile(join(path, "oci-layout"), 4096);
  const index = await readLayoutFile(join(path, "index.json"), maxManifestBytes);
  if (marker === undefined || index === undefined) return undefined;
  if (!/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(marker.toString())) {
    throw new BundleError(
      "bundle_protocol_invalid",
      `oci-layout:${path}: expected a layout of version 1, found another version`,
    );
  }
  return parseLayoutIndex(index, `oci-layout:${path}`);
}

async function readBlob(path: string, descriptor: Descriptor, maxBytes: number): Promise<Buffer> {
  if (descriptor.size > maxBytes) {
    throw new BundleError(
      "bundle_too_large",
      `oci-layout:${path}: expected a layer of at most ${maxBytes} bytes, found ${descriptor.size}`,
    );
  }
  const bytes = await readBlobFile(path, descriptor.digest, maxBytes);
  if (bytes.length === descriptor.size) return bytes;
  throw new BundleError(
    "bundle_digest_mismatch",
    `oci-layout:${path}: expected blob ${descriptor.digest} to have ${descriptor.size} bytes as its manifest says, found ${bytes.length}`,
  );
}

async function readBlobFile(path: string, digest: Digest, maxBytes: number): Promise<Buffer> {
  const bytes = await readLayoutFile(blobPath(path, digest), maxBytes);
  if (bytes === undefined) throw notFound(path, `blob ${digest}`, "none");
  return checkedBytes(bytes, digest, `blob in oci-layout:${path}`);
}

function blobPath(path: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return join(path, "blobs", algorithm, hex);
}

/** A tag moves: the manifest that had it stays in the index without it, as skopeo leaves it. */
function addToIndex(index: LayoutIndex, added: Descriptor, tag: string | undefined): LayoutIndex {
  const kept = index.manifests
    .filter(({ digest, annotations }) => {
      const name = annotations?.[refNameAnnotation];
      return digest !== added.digest || (name !== undefined && name !== tag);
    })
    .map((entry) => (entry.annotations?.[refNameAnnotation] === tag ? withoutTag(entry) : entry));
  const entry = tag === undefined ? added : { ...added, annotations: { [refNameAnnotation]: tag } };
  return { ...index, manifests: [...kept, entry] };
}

function withoutTag({ annotations, ...entry }: LayoutEntry): LayoutEntry {
  const { [refNameAnnotation]: _, ...others } = annotations ?? {};
  return Object.keys(others).length === 0 ? entry : { ...entry, annotations: others };
}

function listTags({ manifests }: LayoutIndex): string {
  const tags = manifests.flatMap(({ annotations }) => annotations?.[refNameAnnotation] ?? []);
  return tags.length === 0 ? "(none)" : tags.toSorted().slice(0, 20).map(shownTag).join(", ");
}

/** No tag of the specification is longer. */
function shownTag(tag: string): string {
  return tag.slice(0, 128);
}

function notFound(path: string, expected: string, found: string): BundleError {
  return unexpected("bundle_not_found", `oci-layout:${path}`, expected, found);
}
