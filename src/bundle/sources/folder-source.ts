/**
 * A folder of policy sources as a source, for `serve --dev`: its fingerprint is of names, sizes and
 * times, so that looking costs no reading, and it is built when it is fetched.
 */
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LayerKind } from "../../contract/bundle.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { packBundle } from "../archive.ts";
import { BundleError } from "../bundle-error.ts";
import type { BundleCache } from "../cache.ts";
import type { BuildPolicyFolder } from "../compile-policy.ts";
import type { FolderReference } from "../reference.ts";
import { formatReference } from "../reference.ts";
import type { BundleSource } from "./bundle-source.ts";
import { pollResult } from "./poll-result.ts";
import { unsignedBundle } from "./unsigned-bundle.ts";
import { watchFolder } from "./watch-folder.ts";

/** The source of a `file:` reference. */
export function createFolderSource(
  reference: FolderReference,
  kind: LayerKind,
  build: BuildPolicyFolder,
  cache: BundleCache | undefined,
): BundleSource {
  const { path } = reference;
  const describe = formatReference(reference);
  return {
    describe,
    isFixed: false,
    poll: async (known) =>
      await pollResult(known, async () => ({ version: { id: await fingerprint(path, describe) } })),
    fetch: async (version) => {
      const files = await buildOrThrow(path, kind, describe, build);
      return unsignedBundle(version, Buffer.from(packBundle(files)), "folder", cache);
    },
    watch: (onChange) => watchFolder(path, () => fingerprint(path, describe), onChange),
    close: () => {},
  };
}

async function buildOrThrow(
  path: string,
  kind: LayerKind,
  where: string,
  build: BuildPolicyFolder,
): Promise<ReadonlyMap<string, Uint8Array>> {
  try {
    return await build(path, kind);
  } catch (thrown) {
    throw new BundleError(
      "bundle_compile_failed",
      `${where}: expected policy sources that build: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}

async function fingerprint(folder: string, where: string): Promise<string> {
  try {
    const names = (await readdir(folder, { recursive: true })).toSorted();
    const lines = await Promise.all(
      names.map(async (name) => `${name}\0${describeFile(await statIfThere(join(folder, name)))}`),
    );
    return sha256Of(Buffer.from(lines.join("\n")));
  } catch (thrown) {
    const reason = codeOf(thrown) ?? messageOf(thrown);
    const message = `${where}: expected a folder of policy sources, found none (${reason})`;
    throw new BundleError("bundle_not_found", message, { cause: thrown });
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

function describeFile(status: Stats | undefined): string {
  if (status === undefined) return "gone";
  return status.isFile() ? `${status.ino} ${status.size} ${status.mtimeMs}` : "folder";
}
