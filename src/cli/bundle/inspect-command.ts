/**
 * `bundle inspect REF`: what is in a bundle, without activating it.
 */
import { fetchReference } from "../../bundle/fetch-reference.ts";
import { printDocument, type OutputFormat } from "../print.ts";
import { artifactReference, type BundleContext } from "./bundle-context.ts";
import { describeArtifact } from "./describe-artifact.ts";

/** Fetches, opens and describes. */
export async function inspectCommand(
  { io, registry, cache }: BundleContext,
  referenceText: string,
  { output }: { readonly output: OutputFormat },
): Promise<void> {
  const reference = artifactReference(io, referenceText);
  const { artifact } = await fetchReference(reference, cache, registry);
  printDocument(io, output, await describeArtifact(reference, artifact));
}
