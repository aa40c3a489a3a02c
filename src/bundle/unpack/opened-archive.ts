/**
 * An archive, opened, with all that costs time in proportion to its size: unpacking, the digest of
 * its content, and the hashes that a signature inside it names. Done in one go, so that it can be
 * done where it holds up nobody.
 */
import type { Digest } from "../../contract/bundle.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { openArchive } from "../archive.ts";
import { judgeCarried } from "../verify/judge-carried.ts";
import type { OpaSigner } from "../verify/trust.ts";
import type { SignedFiles } from "../verify/verify-artifact.ts";

/** The files of a bundle, and what they say of themselves. */
export interface OpenedArchive extends SignedFiles {
  /** Of the files, however they are packed and wrapped. */
  readonly content: Digest;
}

/**
 * Opens an archive in this thread.
 *
 * @param signers - those who sign as OPA does
 * @throws BundleError `bundle_archive_invalid`, `bundle_archive_unsafe`, `bundle_too_large`
 */
export function openHere(archive: Uint8Array, signers: readonly OpaSigner[]): OpenedArchive {
  return describeFiles(openArchive(archive), signers);
}

/** What the files of a bundle say of themselves. */
export function describeFiles(
  files: ReadonlyMap<string, Buffer>,
  signers: readonly OpaSigner[],
): OpenedArchive {
  return { files, content: contentDigest(files), carried: judgeCarried(files, signers) };
}

/** One digest over the paths and contents of a bundle's files. */
export function contentDigest(files: ReadonlyMap<string, Buffer>): Digest {
  const lines = [...files].map(([path, bytes]) => `${sha256Of(bytes)} ${path}\n`);
  return sha256Of(lines.toSorted().join(""));
}
