/**
 * Bundle archives: `tar.gz` as OPA writes and reads it. Packs reproducibly, so that the same
 * files have the same digest everywhere; opens in memory with caps on everything and writes
 * nothing to disk. What the files mean is left to `open-bundle.ts`.
 */
import { archivePath, foldPath } from "./archive-path.ts";
import { BundleError } from "./bundle-error.ts";
import { gunzip, gzip, looksLikeGzip } from "./gzip.ts";
import { readTar } from "./read-tar.ts";
import { writeTar } from "./write-tar.ts";

/** What an archive may hold at most; generous for policy, small for an attacker. */
export const archiveLimits = {
  /** Of the archive as fetched. */
  packedBytes: 32 * 1024 * 1024,
  /** Of the whole tar file after decompression. */
  unpackedBytes: 64 * 1024 * 1024,
  /** Entries of any type. */
  files: 4096,
} as const;

/**
 * Packs files into a `tar.gz`: sorted by the bytes of their names, mode 0644, no owner, no time,
 * names with a leading `/` as `opa build` writes them.
 *
 * @param files - content by path; a leading `/` is optional
 * @throws BundleError `bundle_archive_unsafe` for a name that could not be read back
 */
export function packBundle(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const named = [...files].map(([name, content]) => ({
    path: archivePath(name),
    content: Buffer.from(content.buffer, content.byteOffset, content.byteLength),
  }));
  refuseDuplicates(named.map(({ path }) => path));
  const sorted = named
    .map(({ path, content }) => ({ name: `/${path}`, content }))
    .toSorted((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)));
  return gzip(writeTar(sorted));
}

/**
 * Opens a bundle archive (`tar.gz`, or a bare tar) in memory.
 *
 * @returns content by path, without leading `/`; the buffers are views of one allocation
 * @throws BundleError `bundle_archive_invalid`, `bundle_archive_unsafe`, `bundle_too_large`
 */
export function openArchive(bytes: Uint8Array): Map<string, Buffer> {
  if (bytes.length > archiveLimits.packedBytes) {
    throw new BundleError(
      "bundle_too_large",
      `bundle archive: expected at most ${archiveLimits.packedBytes} bytes, found ${bytes.length}`,
    );
  }
  const tar = looksLikeGzip(bytes)
    ? gunzip(bytes, archiveLimits.unpackedBytes)
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = readTar(tar, archiveLimits.files).map(
    ({ name, content }) => [archivePath(name), content] as const,
  );
  refuseDuplicates(files.map(([path]) => path));
  return new Map(files);
}

function refuseDuplicates(paths: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const first = seen.get(foldPath(path));
    if (first !== undefined) {
      throw new BundleError(
        "bundle_archive_unsafe",
        `bundle archive: expected every file once, found ${JSON.stringify(first)} and ${JSON.stringify(path)}`,
      );
    }
    seen.set(foldPath(path), path);
  }
}
