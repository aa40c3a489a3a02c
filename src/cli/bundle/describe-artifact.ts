/**
 * What a person wants to know of a bundle: who it is, what it answers, what is in it.
 */
import { openArchive } from "../../bundle/archive.ts";
import { readBundleManifest } from "../../bundle/bundle-manifest.ts";
import { openBundle } from "../../bundle/open-bundle.ts";
import { formatReference } from "../../bundle/reference.ts";
import type { Bundle, BundleKind, Digest } from "../../contract/bundle.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { inspectWasm } from "../../bundle/wasm-module.ts";
import { buildSources } from "./build-sources.ts";
import type { FetchedAnywhere } from "./fetch-anywhere.ts";

/** As printed; names as OPA and the image specification have them. */
export interface ArtifactDescription {
  readonly reference: string;
  readonly digest: Digest;
  readonly name: string | null;
  readonly layer: BundleKind;
  readonly revision: string;
  readonly policy_package: string | null;
  readonly entrypoints: readonly string[];
  readonly rules: readonly string[];
  readonly required_builtins: readonly string[];
  readonly roots: readonly string[];
  readonly opa_version: string | null;
  readonly wasm_abi: string | null;
  /** True where it comes without the sources of its policy. */
  readonly opaque: boolean;
  readonly artifact_type: string | null;
  readonly annotations: Readonly<Record<string, string>>;
  readonly archive: { readonly digest: Digest; readonly size: number };
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** A description, and what was opened for it. */
export interface DescribedArtifact {
  /** `undefined` for a library, which nobody asks anything. */
  readonly bundle: Bundle | undefined;
  readonly description: ArtifactDescription;
}

/**
 * Opens what was fetched and describes it; one that no gateway could open is an error here too.
 *
 * @throws BundleError
 */
export async function describeArtifact({
  reference,
  digest,
  archive,
  held,
}: Pick<FetchedAnywhere, "reference" | "digest" | "archive" | "held">): Promise<DescribedArtifact> {
  const shown = formatReference(reference);
  const files = openArchive(archive);
  const { metadata, revision, roots, wasm } = readBundleManifest(files, shown);
  const name = metadata.name ?? shown;
  const kind = metadata.layer ?? "server";
  const about = { name, reference: shown, digest, origin: "layout", opaque: "accept" } as const;
  const bundle =
    kind === "library" ? undefined : await openBundle(files, { ...about, kind }, buildSources);
  const description = {
    reference: shown,
    digest,
    name: metadata.name ?? null,
    layer: kind,
    revision: bundle?.revision ?? revision,
    policy_package: bundle?.policyPackage ?? null,
    entrypoints: wasm.map(({ entrypoint }) => entrypoint),
    rules: metadata.rules ?? [],
    required_builtins: metadata.required_builtins ?? [],
    roots: roots ?? [""],
    opa_version: metadata.opa_version ?? null,
    wasm_abi: bundle ? inspectWasm(Buffer.from(bundle.wasm), shown).abiVersion : null,
    opaque: bundle?.isOpaque ?? false,
    artifact_type: held?.artifact.manifest.artifactType ?? null,
    annotations: held?.artifact.manifest.annotations ?? {},
    archive: { digest: sha256Of(archive), size: archive.length },
    files: [...files].map(([path, content]) => ({ path, size: content.length })),
  };
  return { bundle, description };
}
