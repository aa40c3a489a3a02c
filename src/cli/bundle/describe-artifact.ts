/**
 * What a person wants to know of a bundle: who it is, what it answers, what is in it.
 */
import { openArchive } from "../../bundle/archive.ts";
import { readBundleManifest } from "../../bundle/bundle-manifest.ts";
import type { Artifact } from "../../bundle/fetch-artifact.ts";
import { openBundle } from "../../bundle/open-bundle.ts";
import { formatReference, type Reference } from "../../bundle/reference.ts";
import type { Bundle, Digest, LayerKind } from "../../contract/bundle.ts";
import { inspectWasm } from "../../bundle/wasm-module.ts";
import { buildSources } from "./build-sources.ts";

/** As printed; names as OPA and the image specification have them. */
export interface ArtifactDescription {
  readonly reference: string;
  readonly digest: Digest;
  readonly name: string | null;
  readonly layer: LayerKind;
  readonly revision: string;
  readonly policy_package: string;
  readonly entrypoints: readonly string[];
  readonly rules: readonly string[];
  readonly required_builtins: readonly string[];
  readonly roots: readonly string[];
  readonly opa_version: string | null;
  readonly wasm_abi: string;
  readonly artifact_type: string | null;
  readonly annotations: Readonly<Record<string, string>>;
  readonly archive: { readonly digest: Digest; readonly size: number };
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** A description, and what was opened for it. */
export interface DescribedArtifact {
  readonly bundle: Bundle;
  readonly description: ArtifactDescription;
}

/**
 * Opens an artifact and describes it; one that no gateway could open is an error here too.
 *
 * @throws BundleError
 */
export async function describeArtifact(
  reference: Reference,
  artifact: Artifact,
): Promise<DescribedArtifact> {
  const shown = formatReference(reference);
  const files = openArchive(artifact.archive);
  const { metadata, roots, wasm } = readBundleManifest(files, shown);
  const name = metadata.name ?? shown;
  const kind = metadata.layer ?? "server";
  const about = {
    name,
    kind,
    reference: shown,
    digest: artifact.digest,
    origin: "layout",
  } as const;
  const bundle = await openBundle(files, about, buildSources);
  const description = {
    reference: shown,
    digest: artifact.digest,
    name: metadata.name ?? null,
    layer: kind,
    revision: bundle.revision,
    policy_package: bundle.policyPackage,
    entrypoints: wasm.map(({ entrypoint }) => entrypoint),
    rules: metadata.rules ?? [],
    required_builtins: metadata.required_builtins ?? [],
    roots: roots ?? [""],
    opa_version: metadata.opa_version ?? null,
    wasm_abi: inspectWasm(Buffer.from(bundle.wasm), shown).abiVersion,
    artifact_type: artifact.manifest.artifactType ?? null,
    annotations: artifact.manifest.annotations ?? {},
    archive: { digest: artifact.layer.digest, size: artifact.layer.size },
    files: [...files].map(([path, content]) => ({ path, size: content.length })),
  };
  return { bundle, description };
}
