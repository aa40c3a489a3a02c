/**
 * `bundle pull REF`: fetches a bundle, from a registry into the cache, checks and opens it, and
 * writes its archive or its files where a place is named. Whose bundle it is, is judged when a
 * gateway activates it: a gateway starts from what was active before or from what its source has,
 * never from the fact that something is in the cache.
 */
import type { OutputFormat } from "../print.ts";
import { printDocument } from "../print.ts";
import type { BundleContext } from "./bundle-context.ts";
import { describeArtifact } from "./describe-artifact.ts";
import type { FetchedAnywhere } from "./fetch-anywhere.ts";
import { fetchAnywhere } from "./fetch-anywhere.ts";
import { writePulled } from "./write-pulled.ts";

/** Pulls and prints `REF@sha256:…`. */
export async function pullCommand(
  context: BundleContext,
  referenceText: string,
  { output, file }: { readonly output: OutputFormat; readonly file?: string },
): Promise<void> {
  const { io } = context;
  const fetched = await fetchAnywhere(context, referenceText);
  const { description } = await describeArtifact(fetched);
  await remember(context, fetched);
  if (file !== undefined) await writePulled(io.cwd, file, fetched.archive);
  const { pinned, origin, digest, reference } = fetched;
  // The address of a bundle service cannot say which archive is meant.
  const named = reference.scheme === "https" ? `${pinned} ${digest}` : pinned;
  if (output === "table") io.out(named);
  else printDocument(io, output, { origin, ...description, reference: pinned });
}

/** What opened is kept, with the digest that the tag stands for now, so that `bundle list` knows it. */
async function remember({ cache }: BundleContext, { held, keep }: FetchedAnywhere): Promise<void> {
  const [top] = held?.artifact.documents ?? [];
  if (held?.reference.scheme !== "oci" || top === undefined) return;
  await keep();
  await cache.remember(held.reference, top);
}
