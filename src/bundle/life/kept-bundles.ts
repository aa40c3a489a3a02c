/**
 * What was fetched, on this machine: artifacts as the cache has them, and the bare archives of sources
 * that know no artifacts. Every byte is hashed again when it is read.
 */
import type { Digest } from "../../contract/bundle.ts";
import { archiveLimits } from "../archive.ts";
import type { BundleCache } from "../cache.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import type { FetchedBundle } from "../sources/bundle-source.ts";
import type { KeptBundle } from "./bundle-history.ts";

const archiveType = "application/gzip";

/** Keeps what was fetched and found good; what was read from the cache is there already. */
export async function keepBundle(_cache: BundleCache, fetched: FetchedBundle): Promise<void> {
  await fetched.keep();
}

/** The archive's bytes where it is part of no artifact, as a history keeps them. */
export function archiveBytesOf({
  archive,
  signed,
}: Pick<FetchedBundle, "archive" | "signed">): number | null {
  return signed === undefined ? archive.length : null;
}

/**
 * Reads what was kept of a bundle that was active, or waits to be.
 *
 * @param where - reference for messages
 * @throws BundleError
 */
export async function readKeptBundle(
  cache: BundleCache,
  where: string,
  { digest, version, archive_bytes: archiveBytes }: KeptBundle,
): Promise<FetchedBundle> {
  const rest = { version, digest, origin: "cache", keep: doNothing, close: doNothing } as const;
  if (archiveBytes !== null) {
    const descriptor = descriptorOf(digest, archiveBytes);
    const archive = await cache.content.readBlob(descriptor, archiveLimits.packedBytes);
    return { ...rest, archive, signed: undefined };
  }
  const artifact = await fetchArtifact(cache.content, digest, where);
  return { ...rest, archive: artifact.archive, signed: { artifact, content: cache.content } };
}

function descriptorOf(digest: Digest, size: number) {
  return { mediaType: archiveType, digest, size };
}

async function doNothing(): Promise<void> {}
