/**
 * Removes from the cache what nobody needs: marks everything that is reached from the bundles that
 * are needed, and from whatever is new, and removes the rest. Gateways may read and write meanwhile.
 * Files are listed before anybody is asked what is needed, and those of the last hour stay with all
 * that they name, so that what is being fetched is not taken away in parts.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Digest } from "../contract/bundle.ts";
import type { CacheFile } from "./cache-files.ts";
import { listCacheFiles, statFile } from "./cache-files.ts";
import type { BundleCache } from "./cache.ts";
import { isDigest, splitDigest } from "./digest.ts";
import { maxManifestBytes } from "./oci-document.ts";
import type { RegistryReference } from "./reference.ts";
import { privateModes, readLayoutFile, storageFailed } from "./sources/layout-file.ts";
import { removeFromIndex } from "./sources/layout.ts";

/** Younger files stay. */
export const sweptAfterMs = 60 * 60_000;

export interface Needed {
  readonly digests: readonly Digest[];
  /** What they had last is needed too. */
  readonly references: readonly RegistryReference[];
}

export interface SweepOptions {
  readonly path: string;
  readonly cache: BundleCache;
  /** Asked after the files were listed. */
  readonly needed: () => Promise<Needed>;
  readonly nowMs: number;
  /** Removes nothing, and says what it would. */
  readonly isDryRun: boolean;
}

export interface Sweep {
  readonly removedFiles: number;
  readonly freedBytes: number;
  readonly keptFiles: number;
  readonly keptBytes: number;
}

const child = z.object({ digest: z.string().refine(isDigest) });
const children = z.object({
  config: z.optional(child),
  layers: z.optional(z.array(child)),
  manifests: z.optional(z.array(child)),
});
const pointer = z.object({ digest: z.string().refine(isDigest) });

/**
 * Sweeps the cache.
 *
 * @throws BundleError `bundle_storage_failed`, and of `needed`; nothing is removed then that is needed
 */
export async function sweepCache(options: SweepOptions): Promise<Sweep> {
  const files = await listCacheFiles(options.path);
  const { digests, references } = await options.needed();
  const pointers = new Set(references.map((reference) => options.cache.pointerOf(reference)));
  const isOld = ({ modifiedMs }: Pick<CacheFile, "modifiedMs">): boolean =>
    options.nowMs - modifiedMs > sweptAfterMs;
  const roots: Digest[] = [...digests];
  for (const file of files) {
    const isKept = !isOld(file) || pointers.has(file.path);
    if (isKept && file.kind === "pointer") roots.push(...(await digestIn(file.path)));
    if (isKept && file.digest !== undefined) roots.push(file.digest);
  }
  const marked = await mark(options, roots);
  const useless = files.filter(
    (file) =>
      isOld(file) &&
      !pointers.has(file.path) &&
      (file.digest === undefined || !marked.has(file.digest)),
  );
  const removed = options.isDryRun ? useless : await remove(options.path, useless, isOld);
  return countUp(files, removed);
}

/** Everything that is reached: what manifests name, and what proves something about them. */
async function mark(
  { path, cache }: SweepOptions,
  roots: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  const marked = new Set<Digest>();
  const waiting = [...roots];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (marked.has(digest)) continue;
    marked.add(digest);
    const proofs = await cache.content.referrers(digest);
    waiting.push(...(await namedBy(path, digest)), ...proofs.map((proof) => proof.digest));
  }
  return marked;
}

/** Of a manifest or index; content of another form, or too large for one, names nothing. */
async function namedBy(path: string, digest: Digest): Promise<readonly Digest[]> {
  const { algorithm, hex } = splitDigest(digest);
  const file = join(path, "blobs", algorithm, hex);
  const status = await statFile(file);
  if (status === undefined || status.bytes > maxManifestBytes) return [];
  const found = children.safeParse(await readJson(file));
  if (!found.success) return [];
  const { config, layers = [], manifests = [] } = found.data;
  return [...(config === undefined ? [] : [config]), ...layers, ...manifests].map(
    (one): Digest => one.digest,
  );
}

async function digestIn(path: string): Promise<readonly Digest[]> {
  const found = pointer.safeParse(await readJson(path));
  return found.success ? [found.data.digest] : [];
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readLayoutFile(path, maxManifestBytes);
  try {
    return bytes?.[0] === 0x7b ? JSON.parse(bytes.toString()) : undefined;
  } catch {
    return undefined;
  }
}

/** What was written again since it was listed stays. */
async function remove(
  path: string,
  files: readonly CacheFile[],
  isOld: (file: Pick<CacheFile, "modifiedMs">) => boolean,
): Promise<readonly CacheFile[]> {
  const gone = new Set(files.flatMap(({ kind, digest }) => (kind === "content" ? digest : [])));
  await removeFromIndex(path, privateModes, (digest) => isDigest(digest) && gone.has(digest));
  const removed: CacheFile[] = [];
  for (const file of files) {
    const status = await statFile(file.path);
    if (status === undefined || !isOld(status)) continue;
    await rm(file.path, { force: true }).catch((thrown: unknown) => {
      throw storageFailed("remove", file.path, thrown);
    });
    removed.push(file);
  }
  return removed;
}

function countUp(files: readonly CacheFile[], removed: readonly CacheFile[]): Sweep {
  const freedBytes = bytesOf(removed);
  return {
    removedFiles: removed.length,
    freedBytes,
    keptFiles: files.length - removed.length,
    keptBytes: bytesOf(files) - freedBytes,
  };
}

function bytesOf(files: readonly CacheFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
