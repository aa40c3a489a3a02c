/**
 * `bundle inspect REF`: what is in a bundle and what lies beside it, without activating it.
 */
import { BundleError } from "../../bundle/bundle-error.ts";
import { readAttachments } from "../../bundle/publish/read-attachments.ts";
import { openSource } from "../../bundle/sources/open-source.ts";
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import type { BundleContext } from "./bundle-context.ts";
import { describeArtifact } from "./describe-artifact.ts";
import type { FetchedAnywhere } from "./fetch-anywhere.ts";
import { fetchAnywhere } from "./fetch-anywhere.ts";
import { policyAnnotations } from "./policy-annotations.ts";

/** Fetches, opens and describes, with the annotations of the image and those of the policy. */
export async function inspectCommand(
  context: BundleContext,
  referenceText: string,
  { output }: { readonly output: OutputFormat },
): Promise<void> {
  const { io } = context;
  const fetched = await fetchAnywhere(context, referenceText);
  const { bundle, description } = await describeArtifact(fetched);
  const annotations = bundle === undefined ? [] : await policyAnnotations(io, bundle);
  const referrers = await describeReferrers(context, fetched);
  printDocument(io, output, { ...description, policy_annotations: annotations, referrers });
}

/** What others put beside it, as they say it. `null` where there is no place, or none answers. */
async function describeReferrers(
  { io, registry }: BundleContext,
  { held }: FetchedAnywhere,
): Promise<object | null> {
  if (held === undefined) return null;
  const source = await openSource(held.reference, registry);
  try {
    const subjects = held.artifact.documents.map(({ digest }) => digest);
    const found = await readAttachments(source, subjects);
    return {
      signatures: found.signatures.map(({ content, ...about }) => ({ ...about, ...content })),
      test_reports: found.testReports.map(({ content, ...about }) => ({ ...about, ...content })),
      provenance: found.provenance.map(({ content, ...about }) => ({
        ...about,
        ...content.predicate,
      })),
      others: found.others.map(({ manifest, subject, content }) => {
        return { manifest, subject, artifact_type: content.artifactType };
      }),
    };
  } catch (thrown) {
    if (!(thrown instanceof BundleError)) throw thrown;
    io.err(`warning: what refers to it cannot be read: ${thrown.message}`);
    return null;
  } finally {
    await source.close();
  }
}
