/**
 * What a source fetched that knows no manifests: the archive is all there is, and names itself.
 */
import type { Bundle } from "../../contract/bundle.ts";
import { sha256Of } from "../../contract/sha256.ts";
import type { BundleCache } from "../cache.ts";
import type { FetchedBundle, Version } from "./bundle-source.ts";

const archiveType = "application/gzip";

/**
 * The bundle of an archive alone; what signatures it has are in it.
 *
 * @param cache - where it is kept, if it is
 */
export function unsignedBundle(
  version: Version,
  archive: Buffer,
  origin: Bundle["origin"],
  cache: BundleCache | undefined,
): FetchedBundle {
  const digest = sha256Of(archive);
  const descriptor = { mediaType: archiveType, digest, size: archive.length };
  const keep = async (): Promise<void> => await cache?.keepBlob(archive, descriptor);
  return { version, digest, archive, origin, signed: undefined, keep, close: closeNothing };
}

async function closeNothing(): Promise<void> {}
