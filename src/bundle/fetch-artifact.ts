/**
 * From a digest to the one layer that is a bundle: walks indexes as OPA's downloader does, within
 * bounds, and says what else an artifact is when it is no bundle.
 */
import type { Digest } from "../contract/bundle.ts";
import { archiveLimits } from "./archive.ts";
import type { BundleError } from "./bundle-error.ts";
import { unexpected } from "./bundle-error.ts";
import type { ContentSource } from "./content.ts";
import type {
  Descriptor,
  ImageIndex,
  ImageManifest,
  ManifestBytes,
  OciDocument,
} from "./oci-document.ts";
import { mediaTypes, parseOciDocument } from "./oci-document.ts";

/** An artifact whose bytes all match their digests. */
export interface Artifact {
  /** What the tag stands for: digest of the manifest, or of the index above it. */
  readonly digest: Digest;
  /** The chain of manifests from that digest to the one with the bundle, that one last. */
  readonly documents: readonly ManifestBytes[];
  readonly manifest: ImageManifest;
  readonly layer: Descriptor;
  readonly archive: Buffer;
}

const maxIndexDepth = 4;
const maxChildren = 32;
const conftestType = /^application\/vnd\.cncf\.openpolicyagent\./;
/** Taken for a bundle only where it is the one layer: what the ORAS CLI and others write. */
const layerAliases = new Set([
  "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.openpolicyagent.bundles",
]);

/**
 * Fetches the bundle of a digest with its manifests.
 *
 * @param where - reference for messages
 * @throws BundleError
 */
export async function fetchArtifact(
  source: ContentSource,
  digest: Digest,
  where: string,
): Promise<Artifact> {
  const walk = { source, where, seen: new Set<Digest>() };
  const found = await findManifest(walk, digest, 0);
  if (found === undefined) {
    throw unsupported(
      where,
      `an index without any manifest that has one ${mediaTypes.bundleLayer} layer`,
    );
  }
  const archive = await source.readBlob(found.layer, archiveLimits.packedBytes);
  return { digest, archive, ...found };
}

interface Walk {
  readonly source: ContentSource;
  readonly where: string;
  readonly seen: Set<Digest>;
}

type Found = Pick<Artifact, "documents" | "manifest" | "layer">;

/** Depth first, in order; a child that holds no bundle is passed over, the top one is an error. */
async function findManifest(walk: Walk, digest: Digest, depth: number): Promise<Found | undefined> {
  const read = await walk.source.readManifest(digest);
  const document = parseOciDocument(read, walk.where);
  const content = { ...read, mediaType: mediaTypeOf(document, read) };
  if (document.kind === "index") {
    const found = await findInIndex(walk, document.index, depth + 1);
    return found === undefined ? undefined : { ...found, documents: [content, ...found.documents] };
  }
  const layer = findLayer(document.manifest);
  if (layer !== undefined) return { documents: [content], manifest: document.manifest, layer };
  if (depth > 0) return undefined;
  throw unsupported(walk.where, describeArtifact(document.manifest));
}

async function findInIndex(
  walk: Walk,
  index: ImageIndex,
  depth: number,
): Promise<Found | undefined> {
  if (depth > maxIndexDepth) throw tooLarge(walk.where, `indexes nested ${maxIndexDepth} deep`);
  for (const child of index.manifests) {
    if (isAttestation(child) || walk.seen.has(child.digest)) continue;
    walk.seen.add(child.digest);
    if (walk.seen.size > maxChildren) throw tooLarge(walk.where, `${maxChildren} manifests`);
    const found = await findManifest(walk, child.digest, depth);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A document need not say its type where whoever serves it does, and the other way round. */
function mediaTypeOf(document: OciDocument, { mediaType }: ManifestBytes): string {
  return document.kind === "index"
    ? (document.index.mediaType ?? mediaType ?? mediaTypes.index)
    : (document.manifest.mediaType ?? mediaType ?? mediaTypes.manifest);
}

/** Build tools hide attestations in an index as images for no platform. */
function isAttestation({ platform }: Descriptor): boolean {
  return platform?.os === "unknown" && platform.architecture === "unknown";
}

function findLayer({ layers }: ImageManifest): Descriptor | undefined {
  const bundles = layers.filter(({ mediaType }) => mediaType === mediaTypes.bundleLayer);
  if (bundles.length === 1) return bundles[0];
  const [only, ...others] = layers;
  return others.length === 0 && only !== undefined && layerAliases.has(only.mediaType)
    ? only
    : undefined;
}

function describeArtifact({ layers }: ImageManifest): string {
  if (layers.some(({ mediaType }) => conftestType.test(mediaType))) {
    return "a Conftest artifact, which holds loose Rego files; put them into a folder with a .manifest and push that with bundle push";
  }
  const bundles = layers.filter(({ mediaType }) => mediaType === mediaTypes.bundleLayer);
  if (bundles.length > 1) return `${bundles.length} of them, as in a container image`;
  const types = [...new Set(layers.map(({ mediaType }) => mediaType))].slice(0, 5);
  return types.length === 0 ? "no layer" : `layers of type ${types.map(quote).join(", ")}`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function unsupported(where: string, found: string): BundleError {
  const expected = `an artifact with exactly one ${mediaTypes.bundleLayer} layer`;
  return unexpected("bundle_artifact_unsupported", where, expected, found);
}

function tooLarge(where: string, most: string): BundleError {
  return unexpected("bundle_too_large", where, `at most ${most}`, "more");
}
