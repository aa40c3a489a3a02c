/**
 * Opens a fetched artifact as the bundle of one server or layer.
 */
import type { Bundle, LayerKind } from "../contract/bundle.ts";
import { openArchive } from "./archive.ts";
import type { CompilePolicy } from "./compile-policy.ts";
import type { Artifact } from "./fetch-artifact.ts";
import { openBundle } from "./open-bundle.ts";

/** Which bundle is wanted. */
export interface Wanted {
  /** Config id of the server, or name of the layer. */
  readonly name: string;
  /** Kind of layer that it is configured as. */
  readonly kind: LayerKind;
}

/**
 * Opens the archive and then the bundle in it.
 *
 * @param reference - as configured
 * @throws BundleError
 */
export async function openArtifact(
  wanted: Wanted,
  reference: string,
  artifact: Artifact,
  origin: Bundle["origin"],
  { compile }: { readonly compile: CompilePolicy | undefined },
): Promise<Bundle> {
  const about = { ...wanted, reference, digest: artifact.digest, origin };
  return await openBundle(openArchive(artifact.archive), about, compile);
}
