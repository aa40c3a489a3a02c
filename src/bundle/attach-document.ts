/**
 * Puts a document beside an artifact, as a manifest of one layer that names it as its subject (OCI
 * image specification, "Guidelines for Artifact Usage"). The same document for the same artifact is
 * the same manifest, so attaching it again adds nothing.
 */
import type { Digest } from "../contract/bundle.ts";
import type { ContentSink } from "./content.ts";
import type { ManifestBytes } from "./oci-document.ts";
import { describeBytes, encodeOciJson, mediaTypes } from "./oci-document.ts";

/** A document to attach. */
export interface AttachedDocument {
  readonly artifactType: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Attaches a document to a manifest.
 *
 * @returns the digest of the manifest with the document
 * @throws BundleError
 */
export async function attachDocument(
  sink: ContentSink,
  subject: ManifestBytes,
  { artifactType, mediaType, bytes, annotations }: AttachedDocument,
): Promise<Digest> {
  const layer = describeBytes(bytes, mediaType);
  const config = encodeOciJson({}, mediaTypes.empty);
  const manifest = encodeOciJson(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config: config.descriptor,
      layers: [layer],
      subject: {
        mediaType: subject.mediaType ?? mediaTypes.manifest,
        digest: subject.digest,
        size: subject.bytes.length,
      },
      annotations,
    },
    mediaTypes.manifest,
  );
  await sink.writeBlob(config.bytes, config.descriptor);
  await sink.writeBlob(bytes, layer);
  await sink.attach(
    manifest.bytes,
    { ...manifest.descriptor, artifactType, annotations: { ...annotations } },
    subject.digest,
  );
  return manifest.descriptor.digest;
}
