/**
 * From the files of an archive to a `Bundle`: reads the manifest, chooses entrypoints, checks the
 * compiled policy as far as it can be without running it, and refuses a bundle that belongs to
 * somebody else. Where the bytes came from, and that they are the right ones, was settled before.
 */
import type { Bundle, Digest, LayerKind } from "../contract/bundle.ts";
import { messageOf } from "../errors.ts";
import { readBaseDocument } from "./base-document.ts";
import { BundleError } from "./bundle-error.ts";
import type { BundleManifest } from "./bundle-manifest.ts";
import { decodeBundleText, readBundleManifest } from "./bundle-manifest.ts";
import type { CompilePolicy } from "./compile-policy.ts";
import { checkLibraries } from "./check-libraries.ts";
import { chooseEntrypoints, choosePolicyPackage } from "./entrypoints.ts";
import { isOpaque } from "./is-opaque.ts";
import { inspectWasm } from "./wasm-module.ts";

/** Which bundle is wanted. */
export interface Wanted {
  /** Config id of the server, or name of the layer, that the bundle is for. */
  readonly name: string;
  /** Kind of layer that it is configured as. */
  readonly kind: LayerKind;
  /** `accept`: its policy may come without the sources that it was compiled from. */
  readonly opaque?: "refuse" | "accept" | undefined;
}

/** What is known of a bundle before it is opened. */
export interface BundleOrigin extends Wanted {
  /** As configured, for messages and the record. */
  readonly reference: string;
  readonly digest: Digest;
  readonly origin: Bundle["origin"];
}

/**
 * Opens a bundle. One with Rego sources alone is compiled first.
 *
 * @param files - content by path without leading `/`, as `openArchive` returns it
 * @param compile - `undefined` refuses a bundle without compiled policy
 * @throws BundleError
 */
export async function openBundle(
  files: ReadonlyMap<string, Buffer>,
  about: BundleOrigin,
  compile: CompilePolicy | undefined,
): Promise<Bundle> {
  const where = `bundle "${about.name}" from ${about.reference}`;
  refuseDelta(files, where);
  const manifest = readBundleManifest(files, where);
  checkIdentity(manifest, about, where);
  checkLibraries(manifest, where);
  const sources = readSources(files, where);
  if (hasWasm(files)) return openCompiled(files, manifest, sources, about, where);
  if (sources.size === 0) throw withoutPolicy(where, "neither");
  if (compile === undefined)
    throw withoutPolicy(where, "Rego sources that cannot be compiled here");
  const compiled = await compileSources(files, manifest, sources, about, where, compile);
  return await openBundle(compiled, about, undefined);
}

function openCompiled(
  files: ReadonlyMap<string, Buffer>,
  manifest: BundleManifest,
  sources: ReadonlyMap<string, string>,
  about: BundleOrigin,
  where: string,
): Bundle {
  const entrypoints = chooseEntrypoints(manifest, where);
  const { path, content } = findWasm(files, manifest, where);
  inspectWasm(content, `${where}: ${path}`);
  const opaque = isOpaque(entrypoints, sources);
  if (opaque && about.opaque !== "accept") throw withoutSources(where);
  return {
    name: about.name,
    reference: about.reference,
    digest: about.digest,
    revision: manifest.revision,
    kind: about.kind,
    policyPackage: choosePolicyPackage(manifest, entrypoints.decision, sources),
    entrypoints,
    // A copy of its own: the view would carry the whole archive into the worker.
    wasm: Uint8Array.from(content),
    dataJson: readBaseDocument(files, where),
    sources,
    isOpaque: opaque,
    metadata: manifest.metadata,
    origin: about.origin,
  };
}

async function compileSources(
  files: ReadonlyMap<string, Buffer>,
  manifest: BundleManifest,
  modules: ReadonlyMap<string, string>,
  about: BundleOrigin,
  where: string,
  compile: CompilePolicy,
): Promise<ReadonlyMap<string, Buffer>> {
  const dataJson = readBaseDocument(files, where);
  try {
    const compiled = await compile({ modules, dataJson, manifest }, about.kind);
    return new Map([...compiled].map(([path, content]) => [path, Buffer.from(content)]));
  } catch (thrown) {
    throw new BundleError(
      "bundle_compile_failed",
      `${where}: expected its Rego sources to compile: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}

/** OPA verifies no delta bundle, and a registry saves nothing by them. */
function refuseDelta(files: ReadonlyMap<string, Buffer>, where: string): void {
  if (![...files.keys()].some((path) => path.split("/").at(-1) === "patch.json")) return;
  throw new BundleError(
    "bundle_artifact_unsupported",
    `${where}: expected a whole bundle, found a delta bundle (patch.json); build a snapshot`,
  );
}

/** A bundle signed for one server must not speak for another. */
function checkIdentity({ metadata }: BundleManifest, about: BundleOrigin, where: string): void {
  if (metadata.name !== undefined && metadata.name !== about.name) {
    throw new BundleError(
      "bundle_name_mismatch",
      `${where}: expected metadata.name "${about.name}", found ${JSON.stringify(metadata.name)}; the reference points at another bundle`,
    );
  }
  const layer = metadata.layer ?? "server";
  if (layer === "library") {
    throw new BundleError(
      "bundle_kind_mismatch",
      `${where}: expected metadata.layer "${about.kind}" as configured, found "library", which answers nothing by itself; name it in the requires of the bundles that use it`,
    );
  }
  if (layer !== about.kind) {
    throw new BundleError(
      "bundle_kind_mismatch",
      `${where}: expected metadata.layer "${about.kind}" as configured, found "${layer}"`,
    );
  }
}

function readSources(
  files: ReadonlyMap<string, Buffer>,
  where: string,
): ReadonlyMap<string, string> {
  const rego = [...files].filter(([path]) => path.endsWith(".rego"));
  return new Map(
    rego.map(([path, content]) => [path, decodeBundleText(content, `${where}: ${path}`)]),
  );
}

function hasWasm(files: ReadonlyMap<string, Buffer>): boolean {
  return [...files.keys()].some((path) => path.split("/").at(-1) === "policy.wasm");
}

function findWasm(
  files: ReadonlyMap<string, Buffer>,
  manifest: BundleManifest,
  where: string,
): { readonly path: string; readonly content: Buffer } {
  const paths = [...new Set(manifest.wasm.map(({ module }) => module.replace(/^\/+/, "")))];
  const path = paths[0] ?? "policy.wasm";
  const content = files.get(path);
  if (paths.length === 1 && content !== undefined) return { path, content };
  throw new BundleError(
    "bundle_manifest_invalid",
    `${where}: expected manifest.wasm to name one module that the bundle has, found ${paths.map((name) => JSON.stringify(name)).join(", ")}`,
  );
}

function withoutSources(where: string): BundleError {
  return new BundleError(
    "bundle_opaque",
    `${where}: expected the Rego sources of every entrypoint beside policy.wasm, found a policy that nobody can read; push it with bundle push, or say opaque: "accept" of its source (profile "trial")`,
  );
}

function withoutPolicy(where: string, found: string): BundleError {
  return new BundleError(
    "bundle_without_policy",
    `${where}: expected policy.wasm or Rego sources (*.rego), found ${found}`,
  );
}
