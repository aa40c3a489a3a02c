/**
 * Signs an artifact where it is, in the forms that cosign makes and this gateway verifies: a
 * sigstore bundle that refers to the manifest (cosign 3), or a simple signing document on the tag
 * that cosign before version 3 looks at. Nothing in it depends on the time.
 */
import type { Digest } from "../../contract/bundle.ts";
import { BundleError } from "../bundle-error.ts";
import type { ContentSink, ContentSource } from "../content.ts";
import type { Descriptor, ManifestBytes } from "../oci-document.ts";
import { describeBytes, encodeOciJson, mediaTypes, parseOciDocument } from "../oci-document.ts";
import { attachDocument } from "../attach-document.ts";
import { signatureTag } from "./candidates.ts";
import { simpleSignatureAnnotation } from "./signature-annotations.ts";
import type { SigningKey } from "./signing-key.ts";
import { keyBundle } from "./sigstore-bundle.ts";
import { simpleSigningPayload, simpleSigningType } from "./simple-signing.ts";
import { envelopePayloadType, preAuthEncoding, signatureStatement } from "./statement.ts";

export const signatureFormats = ["bundle", "cosign-tag"] as const;
export type SignatureFormat = (typeof signatureFormats)[number];

/** The place of an artifact. */
export interface SigningPlace {
  readonly source: ContentSource;
  readonly sink: ContentSink;
  /** `HOST/REPOSITORY`, or the path of a layout. */
  readonly repository: string;
}

/**
 * Signs a manifest.
 *
 * @returns the digest of the manifest with the signature
 * @throws BundleError
 */
export async function signArtifact(
  place: SigningPlace,
  subject: ManifestBytes,
  key: SigningKey,
  format: SignatureFormat,
): Promise<Digest> {
  switch (format) {
    case "bundle":
      return await attachBundle(place.sink, subject, key);
    case "cosign-tag":
      return await writeSignatureTag(place, subject.digest, key);
  }
}

async function attachBundle(
  sink: ContentSink,
  subject: ManifestBytes,
  key: SigningKey,
): Promise<Digest> {
  const statement = signatureStatement(subject.digest);
  const signature = key.sign(preAuthEncoding(envelopePayloadType, statement));
  const bundle = keyBundle(statement, signature, key.publicKey);
  return await attachDocument(sink, subject, {
    artifactType: mediaTypes.sigstoreBundle,
    mediaType: mediaTypes.sigstoreBundle,
    bytes: bundle,
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
    },
  });
}

async function writeSignatureTag(
  { source, sink, repository }: SigningPlace,
  subject: Digest,
  key: SigningKey,
): Promise<Digest> {
  const payload = simpleSigningPayload(subject, repository);
  const annotations = { [simpleSignatureAnnotation]: key.sign(payload).toString("base64") };
  const layer = { ...describeBytes(payload, simpleSigningType), annotations };
  const tag = signatureTag(subject);
  const isSame = (other: Descriptor): boolean =>
    other.annotations?.[simpleSignatureAnnotation] === annotations[simpleSignatureAnnotation];
  const others = await readSignatures(source, tag);
  const layers = [...others.filter((other) => !isSame(other)), layer];
  const config = encodeOciJson(imageConfig(layers), "application/vnd.oci.image.config.v1+json");
  const manifest = encodeOciJson(
    { schemaVersion: 2, mediaType: mediaTypes.manifest, config: config.descriptor, layers },
    mediaTypes.manifest,
  );
  await sink.writeBlob(config.bytes, config.descriptor);
  await sink.writeBlob(payload, layer);
  await sink.writeManifest(manifest.bytes, manifest.descriptor, tag);
  return manifest.descriptor.digest;
}

/** Signatures of others stay on the tag; one that is there already is not there twice. */
async function readSignatures(source: ContentSource, tag: string): Promise<readonly Descriptor[]> {
  try {
    const digest = await source.resolve({ tag, digest: undefined });
    const document = parseOciDocument(await source.readManifest(digest), tag);
    return document.kind === "manifest" ? document.manifest.layers : [];
  } catch (thrown) {
    if (thrown instanceof BundleError && thrown.code === "bundle_not_found") return [];
    throw thrown;
  }
}

/** Older tools read the signatures as an image of as many layers. */
function imageConfig(layers: readonly Descriptor[]): object {
  return {
    architecture: "",
    config: {},
    created: "0001-01-01T00:00:00Z",
    history: layers.map(() => ({ created: "0001-01-01T00:00:00Z" })),
    os: "",
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
  };
}
