/**
 * The way of a bundle into the gateway: reference → digest → checked bytes → opened bundle. Fails
 * with a value, never with half a bundle. When the registry is away the last good bundle of that
 * reference is used instead; when it is there and wrong, nothing is.
 */
import type { Bundle, LayerKind } from "../contract/bundle.ts";
import { sha256Of } from "../contract/sha256.ts";
import { messageOf } from "../errors.ts";
import { packBundle } from "./archive.ts";
import type { BundleDependencies } from "./bundle-dependencies.ts";
import { BundleError } from "./bundle-error.ts";
import type { BuildPolicyFolder, BundleFiles } from "./compile-policy.ts";
import { fetchReference } from "./fetch-reference.ts";
import { loadFromRegistry } from "./load-from-registry.ts";
import { openArtifact, type Wanted } from "./open-artifact.ts";
import { openBundle } from "./open-bundle.ts";
import {
  formatReference,
  parseReference,
  type FolderReference,
  type LayoutReference,
  type Reference,
} from "./reference.ts";

/** A bundle, or why there is none. */
export type LoadResult =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly error: BundleError };

/**
 * Loads the bundle of a server or layer.
 *
 * @param name - config id of the server, or name of the layer
 * @param kind - kind of layer that it is configured as
 * @param reference - `oci://…`, `oci-layout:…` or `file:…`, paths absolute
 */
export async function loadBundle(
  name: string,
  kind: LayerKind,
  reference: string,
  options: BundleDependencies,
): Promise<LoadResult> {
  try {
    const parsed = parseReference(reference);
    return { ok: true, bundle: await load({ name, kind }, parsed, options) };
  } catch (thrown) {
    if (thrown instanceof BundleError) return { ok: false, error: thrown };
    throw thrown;
  }
}

async function load(
  wanted: Wanted,
  reference: Reference,
  options: BundleDependencies,
): Promise<Bundle> {
  switch (reference.scheme) {
    case "file":
      return await loadFolder(wanted, reference, options);
    case "oci-layout":
      return await loadLayout(wanted, reference, options);
    case "oci":
      return await loadFromRegistry(wanted, reference, options);
  }
}

async function loadFolder(
  wanted: Wanted,
  reference: FolderReference,
  { dev, buildFolder }: BundleDependencies,
): Promise<Bundle> {
  const shown = formatReference(reference);
  if (!dev || buildFolder === undefined) {
    throw new BundleError(
      "bundle_reference_invalid",
      `bundle "${wanted.name}" from ${shown}: expected oci:// or oci-layout:, found file:, which is for serve --dev alone; build it with bundle push`,
    );
  }
  const files = await build(reference.path, wanted.kind, shown, buildFolder);
  const digest = sha256Of(packBundle(files));
  const buffers = new Map([...files].map(([path, content]) => [path, Buffer.from(content)]));
  const about = { ...wanted, reference: shown, digest, origin: "folder" } as const;
  return await openBundle(buffers, about, undefined);
}

async function build(
  path: string,
  kind: LayerKind,
  shown: string,
  buildFolder: BuildPolicyFolder,
): Promise<BundleFiles> {
  try {
    return await buildFolder(path, kind);
  } catch (thrown) {
    throw new BundleError(
      "bundle_compile_failed",
      `${shown}: expected policy sources that build: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}

async function loadLayout(
  wanted: Wanted,
  reference: LayoutReference,
  options: BundleDependencies,
): Promise<Bundle> {
  const { artifact, origin } = await fetchReference(reference, undefined, options.registry);
  return await openArtifact(wanted, formatReference(reference), artifact, origin, options);
}
