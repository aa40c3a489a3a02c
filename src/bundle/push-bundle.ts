/**
 * Puts a bundle into a registry or layout as an OCI artifact that OPA, the ORAS CLI, skopeo and
 * the policy CLI take: an image manifest with the empty config and one
 * `application/vnd.oci.image.layer.v1.tar+gzip` layer. The same files give the same digest.
 */
import type { Digest } from "../contract/bundle.ts";
import { openArchive, packBundle } from "./archive.ts";
import { BundleError } from "./bundle-error.ts";
import { readBundleManifest } from "./bundle-manifest.ts";
import type { Descriptor } from "./oci-document.ts";
import { describeBytes, encodeOciJson, mediaTypes } from "./oci-document.ts";
import type { ArtifactReference, Reference } from "./reference.ts";
import { formatReference, pinReference } from "./reference.ts";
import { openSink } from "./sources/open-source.ts";
import type { RegistryOptions } from "./sources/registry-session.ts";

export interface PushOptions {
  readonly registry: RegistryOptions;
  /** When the sources were made, seconds since the epoch (`SOURCE_DATE_EPOCH`); default 0. */
  readonly createdSeconds?: number;
  /** Where the sources are (`org.opencontainers.image.source`). */
  readonly source?: string;
}

export interface PushedBundle {
  /** `REF@sha256:…` */
  readonly reference: string;
  readonly digest: Digest;
  readonly layer: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Pushes files, or a packed archive, under the tag of a reference.
 *
 * @param bundle - content by path, or `tar.gz` bytes, which are opened and judged first
 * @throws BundleError
 */
export async function pushBundle(
  bundle: ReadonlyMap<string, Uint8Array> | Uint8Array,
  reference: Reference,
  options: PushOptions,
): Promise<PushedBundle> {
  const target = pushTarget(reference);
  const archive = bundle instanceof Uint8Array ? bundle : packBundle(bundle);
  const annotations = describeBundle(archive, formatReference(reference), options);
  const layer = {
    ...describeBytes(archive, mediaTypes.bundleLayer),
    annotations: { "org.opencontainers.image.title": "bundle.tar.gz" },
  };
  const config = encodeOciJson({}, mediaTypes.empty);
  const manifest = encodeOciJson(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: mediaTypes.bundleArtifact,
      config: config.descriptor,
      layers: [layer],
      annotations,
    },
    mediaTypes.manifest,
  );
  const sink = await openSink(target, options.registry);
  try {
    await sink.writeBlob(config.bytes, config.descriptor);
    await sink.writeBlob(archive, layer);
    const entry = { ...manifest.descriptor, artifactType: mediaTypes.bundleArtifact };
    await sink.writeManifest(manifest.bytes, entry, target.tag);
  } finally {
    await sink.close();
  }
  const { digest } = manifest.descriptor;
  return { reference: formatReference(pinReference(target, digest)), digest, layer, annotations };
}

function pushTarget(reference: Reference): ArtifactReference {
  const isPlace = reference.scheme === "oci" || reference.scheme === "oci-layout";
  if (isPlace && reference.digest === undefined) return reference;
  const expected = "expected oci://HOST/REPOSITORY:TAG or oci-layout:PATH:TAG to push to";
  const found = isPlace
    ? "a digest, which the content decides"
    : "a source that can only be read from";
  throw new BundleError(
    "bundle_reference_invalid",
    `bundle reference "${formatReference(reference)}": ${expected}, found ${found}`,
  );
}

/** Annotations from the bundle's own manifest; sorted, since their order is part of the digest. */
function describeBundle(
  archive: Uint8Array,
  where: string,
  options: PushOptions,
): Readonly<Record<string, string>> {
  const { revision, metadata } = readBundleManifest(openArchive(archive), where);
  const created = new Date((options.createdSeconds ?? 0) * 1000).toISOString();
  const annotations: readonly (readonly [string, string | undefined])[] = [
    ["io.mcp-gateway.bundle.layer", metadata.layer],
    ["io.mcp-gateway.bundle.name", metadata.name],
    ["org.opencontainers.image.created", created.replace(".000Z", "Z")],
    ["org.opencontainers.image.revision", revision],
    ["org.opencontainers.image.source", options.source],
    ["org.opencontainers.image.title", metadata.name],
    ["org.opencontainers.image.version", revision],
  ];
  const given = annotations.flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [[key, value] as const],
  );
  return Object.fromEntries(given);
}
