/**
 * That a bundle holds the libraries that it requires. What it takes from one that is missing would be
 * undefined, and a denial that is undefined lets the call pass.
 */
import type { BundleManifest } from "./bundle-manifest.ts";
import { BundleError } from "./bundle-error.ts";

/**
 * Compares what a bundle requires with what was copied in when it was built.
 *
 * @throws BundleError `bundle_library_missing`
 */
export function checkLibraries({ metadata }: BundleManifest, where: string): void {
  const { requires = [], libraries = [] } = metadata;
  for (const { name, digest } of requires) {
    const found = libraries.find((library) => library.name === name);
    if (found?.digest === digest) continue;
    throw new BundleError(
      "bundle_library_missing",
      `${where}: expected library "${name}" (${digest}) in the bundle, found ${found?.digest ?? "none"}; build and push it again with bundle push, which copies it in`,
    );
  }
}
