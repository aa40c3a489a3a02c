/**
 * The files of the cache that somebody may have to remove: content under its digest, which digest a
 * reference had last, what proves something about a manifest, and what a writer that died left
 * half-written. The rest of the layout is of no size and stays.
 */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../contract/bundle.ts";
import { codeOf } from "../errors.ts";
import { isDigest } from "./digest.ts";
import { storageFailed } from "./sources/layout-file.ts";

export interface CacheFile {
  readonly path: string;
  readonly kind: "content" | "pointer" | "proofs" | "remnant";
  /** Of the content itself, or of the manifest that is proven; `undefined` for the others. */
  readonly digest: Digest | undefined;
  readonly bytes: number;
  readonly modifiedMs: number;
}

const remnantEnd = ".tmp";

/**
 * Lists them.
 *
 * @throws BundleError `bundle_storage_failed`
 */
export async function listCacheFiles(cache: string): Promise<readonly CacheFile[]> {
  const folders = [
    listFolder(join(cache, "blobs", "sha256"), (name) => content(`sha256:${name}`)),
    listFolder(join(cache, "blobs", "sha512"), (name) => content(`sha512:${name}`)),
    listFolder(join(cache, "proofs"), (name) => proofs(name)),
    listFolder(join(cache, "refs"), (name) =>
      /^[0-9a-f]{64}\.json$/.test(name) ? { kind: "pointer", digest: undefined } : undefined,
    ),
    listFolder(cache, () => undefined),
  ];
  return (await Promise.all(folders)).flat();
}

/** Size and time of a file as it is now; `undefined` where it is gone or no regular file. */
export async function statFile(
  path: string,
): Promise<Pick<CacheFile, "bytes" | "modifiedMs"> | undefined> {
  try {
    const status = await lstat(path);
    return status.isFile() ? { bytes: status.size, modifiedMs: status.mtimeMs } : undefined;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw storageFailed("read", path, thrown);
  }
}

type Named = Pick<CacheFile, "kind" | "digest">;

/** What is named like nothing of ours is nobody's to remove. */
async function listFolder(
  folder: string,
  nameOf: (name: string) => Named | undefined,
): Promise<readonly CacheFile[]> {
  const found: CacheFile[] = [];
  for (const name of await namesIn(folder)) {
    const isRemnant = name.endsWith(remnantEnd);
    const named = isRemnant ? ({ kind: "remnant", digest: undefined } as const) : nameOf(name);
    const path = join(folder, name);
    const status = named === undefined ? undefined : await statFile(path);
    if (named !== undefined && status !== undefined) found.push({ path, ...named, ...status });
  }
  return found;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw storageFailed("read", folder, thrown);
  }
}

function content(digest: string): Named | undefined {
  return isDigest(digest) ? { kind: "content", digest } : undefined;
}

function proofs(name: string): Named | undefined {
  const digest = name.replace(/\.json$/, "").replace("-", ":");
  return name.endsWith(".json") && isDigest(digest) ? { kind: "proofs", digest } : undefined;
}
