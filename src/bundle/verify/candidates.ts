/**
 * Where the signatures of a manifest may be: what refers to it, and the tag on which cosign before
 * version 3 puts them. Everything found is fetched and looked at for itself: descriptors come from
 * lists that anybody with the right to push can write, and older tools write them wrong.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import type { ContentSource } from "../content.ts";
import { splitDigest } from "../digest.ts";
import type { Descriptor } from "../oci-document.ts";
import { mediaTypes, parseOciDocument } from "../oci-document.ts";
import { simpleSigningType } from "./simple-signing.ts";

/** A layer that holds a signature. */
export interface Candidate {
  /** For messages: `referrer sha256:…`. */
  readonly place: string;
  readonly manifest: Descriptor;
  readonly form: "sigstore-bundle" | "simple-signing" | "notation";
  readonly layer: Descriptor;
}

/** What may be a signature, not yet fetched. */
export interface CandidateManifest {
  readonly place: string;
  readonly manifest: Descriptor;
  /** Undefined for cosign's tag, whose manifest names no subject. */
  readonly subject: Digest | undefined;
}

const maxCandidates = 32;
const maxSignatureBytes = 1024 * 1024;

/** Artifact types of signatures; an entry without a usable type may be one too. */
const notationType = "application/vnd.cncf.notary.signature";
const signatureTypes = new Set([
  mediaTypes.sigstoreBundle,
  notationType,
  "application/vnd.dev.cosign.artifact.sig.v1+json",
]);
const uselessTypes = new Set<string | undefined>([
  undefined,
  "",
  mediaTypes.empty,
  "application/vnd.oci.image.config.v1+json",
]);

/** cosign's tag for the signatures of a manifest. */
export function signatureTag(subject: Digest): string {
  const { algorithm, hex } = splitDigest(subject);
  return `${algorithm}-${hex}.sig`;
}

/**
 * What refers to a manifest and may be a signature, the likeliest first.
 *
 * @throws BundleError of the place
 */
export async function listReferrerCandidates(
  source: ContentSource,
  subject: Digest,
): Promise<readonly CandidateManifest[]> {
  const referrers = await source.referrers(subject);
  const manifests = referrers.filter(
    ({ mediaType }) => mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest,
  );
  const typed = manifests.filter(({ artifactType }) => signatureTypes.has(artifactType ?? ""));
  const untyped = manifests.filter(({ artifactType }) => uselessTypes.has(artifactType));
  return [...typed, ...untyped].slice(0, maxCandidates).map((manifest) => {
    return { place: `referrer ${manifest.digest}`, manifest, subject };
  });
}

/**
 * What is on cosign's tag.
 *
 * @throws BundleError of the place
 */
export async function findTagCandidate(
  source: ContentSource,
  subject: Digest,
): Promise<readonly CandidateManifest[]> {
  const tag = signatureTag(subject);
  try {
    const digest = await source.resolve({ tag, digest: undefined });
    const manifest = { mediaType: mediaTypes.manifest, digest, size: 0 };
    return [{ place: `tag ${tag}`, manifest, subject: undefined }];
  } catch (thrown) {
    if (thrown instanceof BundleError && thrown.code === "bundle_not_found") return [];
    throw thrown;
  }
}

/**
 * Fetches the manifest of a candidate: the signatures in it, none where it is something else.
 *
 * @throws BundleError for bytes that are not what they should be, and of the place
 */
export async function readCandidate(
  source: ContentSource,
  { place, manifest, subject }: CandidateManifest,
): Promise<readonly Candidate[]> {
  const read = await source.readManifest(manifest.digest);
  const document = parseOciDocument(read, place);
  if (document.kind === "index") return [];
  const { artifactType, config, layers, subject: named } = document.manifest;
  const isNotation = artifactType === notationType || config?.mediaType === notationType;
  // A list may name anything; only the manifest itself says what it belongs to. What cosign tagged
  // says it in the signed document alone, and is kept in the cache without its tag.
  const isTagged = named === undefined && layers.some(isSimpleSigning);
  if (subject !== undefined && named?.digest !== subject && !isTagged) return [];
  const descriptor = { ...manifest, size: read.bytes.length };
  return layers.slice(0, maxCandidates).flatMap((layer) => {
    const form = isNotation ? "notation" : formOf(layer);
    return form === undefined ? [] : [{ place, manifest: descriptor, form, layer }];
  });
}

/**
 * Fetches what is signed, or the signature with it.
 *
 * @throws BundleError
 */
export async function readSignature(source: ContentSource, { layer }: Candidate): Promise<Buffer> {
  return await source.readBlob(layer, maxSignatureBytes);
}

function isSimpleSigning({ mediaType }: Descriptor): boolean {
  return mediaType === simpleSigningType;
}

function formOf(layer: Descriptor): Candidate["form"] | undefined {
  if (isSimpleSigning(layer)) return "simple-signing";
  return layer.mediaType.startsWith("application/vnd.dev.sigstore.bundle")
    ? "sigstore-bundle"
    : undefined;
}
