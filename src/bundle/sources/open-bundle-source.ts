/**
 * From a reference to its source. What only some kinds need is loaded with the first of that kind.
 */
import type { LayerKind } from "../../contract/bundle.ts";
import type { BundleDependencies } from "../bundle-dependencies.ts";
import { BundleError } from "../bundle-error.ts";
import type { BundleCache } from "../cache.ts";
import { openCache } from "../cache.ts";
import type { FolderReference } from "../reference.ts";
import { formatReference, parseReference } from "../reference.ts";
import { createArtifactSource } from "./artifact-source.ts";
import type { BundleSource } from "./bundle-source.ts";

/** What a source is for, and how it may be asked. */
export interface SourceSetting {
  /** Kind of layer that the bundle is configured as. */
  readonly kind: LayerKind;
  /** How long a bundle service may hold an answer back; no long poll where it is left out. */
  readonly longPollMs?: number | undefined;
}

/**
 * Opens the source of a reference; asks nobody yet.
 *
 * @param reference - paths absolute
 * @throws BundleError `bundle_reference_invalid`
 */
export async function openBundleSource(
  reference: string,
  { kind, longPollMs }: SourceSetting,
  dependencies: BundleDependencies,
): Promise<BundleSource> {
  const parsed = parseReference(reference);
  const { cachePath, env = {}, log, registry } = dependencies;
  const cache = cachePath === undefined ? undefined : openCache(cachePath, log);
  switch (parsed.scheme) {
    case "oci":
    case "oci-layout":
      return createArtifactSource(parsed, { registry, cache });
    case "https": {
      const { createServiceSource } = await import("./service-source.ts");
      return createServiceSource(parsed, { registry, longPollMs, cache });
    }
    case "git": {
      const { createGitSource } = await import("./git-source.ts");
      return createGitSource(parsed, { registry, env, cache });
    }
    case "file":
      return await folderSource(parsed, kind, dependencies, cache);
  }
}

async function folderSource(
  reference: FolderReference,
  kind: LayerKind,
  { dev, buildFolder }: BundleDependencies,
  cache: BundleCache | undefined,
): Promise<BundleSource> {
  if (!dev || buildFolder === undefined) {
    throw new BundleError(
      "bundle_reference_invalid",
      `bundle reference "${formatReference(reference)}": expected oci://, oci-layout:, https:// or git+https://, found file:, which is for serve --dev alone; build it with bundle push`,
    );
  }
  const { createFolderSource } = await import("./folder-source.ts");
  return createFolderSource(reference, kind, buildFolder, cache);
}
