/**
 * `bundle inspect REF`: what is in a bundle, without activating it.
 */
import { fetchReference } from "../../bundle/fetch-reference.ts";
import { printDocument, type OutputFormat } from "../print.ts";
import { artifactReference, type BundleContext } from "./bundle-context.ts";
import { describeArtifact } from "./describe-artifact.ts";
import { policyAnnotations } from "./policy-annotations.ts";

/** Fetches, opens and describes, with the annotations of the image and those of the policy. */
export async function inspectCommand(
  { io, registry, cache }: BundleContext,
  referenceText: string,
  { output }: { readonly output: OutputFormat },
): Promise<void> {
  const reference = artifactReference(io, referenceText);
  const { artifact } = await fetchReference(reference, cache, registry);
  const { bundle, description } = await describeArtifact(reference, artifact);
  const annotations = await policyAnnotations(io, bundle);
  printDocument(io, output, { ...description, policy_annotations: annotations });
}
