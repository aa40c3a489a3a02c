/**
 * A release as an artifact in a registry or layout: one manifest with the document as its only layer.
 * Signed and verified like a bundle, by whoever may sign the server's bundles.
 */
import type { SourceTrust } from "../../config/config.ts";
import type { Digest } from "../../contract/bundle.ts";
import { unexpected } from "../bundle-error.ts";
import { describeBytes, encodeOciJson, mediaTypes, parseOciDocument } from "../oci-document.ts";
import type { ArtifactReference } from "../reference.ts";
import { formatReference, pinReference } from "../reference.ts";
import { openSink, openSource } from "../sources/open-source.ts";
import type { RegistryOptions } from "../sources/registry-session.ts";
import { openSigners } from "../verify/open-signers.ts";
import { describeFiles } from "../unpack/opened-archive.ts";
import { requireTrust } from "../verify/require-trust.ts";
import type { Release } from "./release-document.ts";
import { formatRelease, maxReleaseBytes, releaseSchema, releaseType } from "./release-document.ts";

/** A release, and where it came from. */
export interface FetchedRelease {
  readonly release: Release;
  readonly digest: Digest;
  /** `REF@sha256:…` */
  readonly reference: string;
  /** Names of those who signed it. */
  readonly signers: readonly string[];
}

/**
 * Pushes a release; equal releases have equal digests.
 *
 * @returns `REF@sha256:…`
 * @throws BundleError
 */
export async function pushRelease(
  release: Release,
  reference: ArtifactReference,
  registry: RegistryOptions,
): Promise<string> {
  const bytes = Buffer.from(formatRelease(release));
  const annotations = { "org.opencontainers.image.title": "release.json" };
  const layer = { ...describeBytes(bytes, releaseType), annotations };
  const config = encodeOciJson({}, mediaTypes.empty);
  const manifest = encodeOciJson(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: releaseType,
      config: config.descriptor,
      layers: [layer],
    },
    mediaTypes.manifest,
  );
  const sink = await openSink(reference, registry);
  try {
    await sink.writeBlob(config.bytes, config.descriptor);
    await sink.writeBlob(bytes, layer);
    const entry = { ...manifest.descriptor, artifactType: releaseType };
    await sink.writeManifest(manifest.bytes, entry, reference.tag);
  } finally {
    await sink.close();
  }
  return formatReference(pinReference(reference, manifest.descriptor.digest));
}

/**
 * Fetches a release of one server.
 *
 * @param server - that it has to be for
 * @param trust - of the server's bundles
 * @throws BundleError `bundle_release_invalid`, `bundle_unverified`, and those of the place
 */
export async function fetchRelease(
  reference: ArtifactReference,
  server: string,
  trust: SourceTrust,
  registry: RegistryOptions,
): Promise<FetchedRelease> {
  const where = `release of "${server}" from ${formatReference(reference)}`;
  const source = await openSource(reference, registry);
  try {
    const digest = await source.resolve(reference);
    const document = parseOciDocument(await source.readManifest(digest), where);
    const manifest = document.kind === "manifest" ? document.manifest : undefined;
    const [layer, ...others] = manifest?.layers ?? [];
    const isRelease = layer?.mediaType === releaseType && others.length === 0;
    if (layer === undefined || !isRelease || manifest?.artifactType !== releaseType) {
      throw invalid(where, `an artifact of type ${releaseType}`, "another");
    }
    const { signers } = await requireTrust({
      name: undefined,
      where,
      require: trust.require,
      signers: openSigners(trust.signers),
      // Whoever upgrades writes its digest down.
      isPinned: true,
      artifact: { subjects: [digest], open: async () => describeFiles(new Map(), []) },
      places: [source],
    });
    const release = readRelease(await source.readBlob(layer, maxReleaseBytes), server, where);
    const pinned = formatReference(pinReference(reference, digest));
    return { release, digest, reference: pinned, signers: signers.map(({ name }) => name) };
  } finally {
    await source.close();
  }
}

/** A release of another server would bring that server's program here. */
function readRelease(bytes: Buffer, server: string, where: string): Release {
  const parsed = releaseSchema.safeParse(parseOrUndefined(bytes), { jitless: true });
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path.join(".") ?? "";
    throw invalid(where, "a release.json", `a wrong "${place}"`);
  }
  if (parsed.data.server === server) return parsed.data;
  throw invalid(where, `server "${server}"`, JSON.stringify(parsed.data.server));
}

function parseOrUndefined(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function invalid(where: string, expected: string, found: string) {
  return unexpected("bundle_release_invalid", where, expected, found);
}
