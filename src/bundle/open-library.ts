/**
 * From the files of an archive to a library: a bundle that answers nothing, whose rules and data other
 * bundles copy in when they are built. It is checked against what the requirement says it is.
 */
import type { Digest } from "../contract/bundle.ts";
import { readBaseDocument } from "./base-document.ts";
import { BundleError } from "./bundle-error.ts";
import { decodeBundleText, readBundleManifest } from "./bundle-manifest.ts";

/** A library as its bundle has it. */
export interface OpenedLibrary {
  readonly name: string;
  readonly revision: string;
  readonly digest: Digest;
  /** Paths in `data` that are its own, without leading `/`. */
  readonly roots: readonly string[];
  /** Rego text by path, without tests. */
  readonly modules: ReadonlyMap<string, string>;
  /** JSON text. */
  readonly dataJson: string;
}

/**
 * Opens a library.
 *
 * @param name - as the requirement names it
 * @param where - for messages
 * @throws BundleError `bundle_library_mismatch` for a bundle that is none, or another one
 */
export function openLibrary(
  files: ReadonlyMap<string, Buffer>,
  { name, digest }: { readonly name: string; readonly digest: Digest },
  where: string,
): OpenedLibrary {
  const manifest = readBundleManifest(files, where);
  const { revision, roots = [], metadata } = manifest;
  if (metadata.layer !== "library") {
    throw mismatch(where, 'metadata.layer "library"', JSON.stringify(metadata.layer ?? "server"));
  }
  if (metadata.name !== name) {
    throw mismatch(where, `library "${name}"`, JSON.stringify(metadata.name ?? "one without name"));
  }
  if (Object.keys(Object(metadata["counters"])).length > 0) {
    throw mismatch(where, "a library without counters, which nobody would count", "some");
  }
  const own = roots.map((root) => root.replace(/^\/+|\/+$/g, ""));
  if (own.length === 0 || own.includes("")) {
    throw mismatch(where, "a library that names its paths in roots", "one that claims all of them");
  }
  const rego = [...files].filter(
    ([path]) => path.endsWith(".rego") && !path.endsWith("_test.rego"),
  );
  if (rego.length === 0) throw mismatch(where, "a library with Rego sources", "none");
  const modules = rego.map(
    ([path, content]) => [path, decodeBundleText(content, `${where}: ${path}`)] as const,
  );
  const dataJson = readBaseDocument(files, where);
  return { name, revision, digest, roots: own, modules: new Map(modules), dataJson };
}

/** Another library than the one that is required. */
export function mismatch(where: string, expected: string, found: string): BundleError {
  return new BundleError(
    "bundle_library_mismatch",
    `${where}: expected ${expected}, found ${found}`,
  );
}
