/**
 * `bundle pull REF`: fetches a bundle into the cache, checks and opens it, and writes its archive
 * to a file where one is named. Whose bundle it is, is judged when a gateway activates it.
 */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fetchReference } from "../../bundle/fetch-reference.ts";
import { formatReference, pinReference } from "../../bundle/reference.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";
import { printDocument, type OutputFormat } from "../print.ts";
import { artifactReference, type BundleContext } from "./bundle-context.ts";
import { describeArtifact } from "./describe-artifact.ts";

/** Pulls and prints `REF@sha256:…`. */
export async function pullCommand(
  { io, registry, cache }: BundleContext,
  referenceText: string,
  { output, file }: { readonly output: OutputFormat; readonly file?: string },
): Promise<void> {
  const reference = artifactReference(io, referenceText);
  const { artifact, origin } = await fetchReference(reference, cache, registry);
  const { description } = await describeArtifact(reference, artifact);
  if (reference.scheme === "oci") {
    const [top] = artifact.documents;
    if (top !== undefined) await cache.remember(reference, top);
  }
  if (file !== undefined) await writeArchive(resolve(io.cwd, file), artifact.archive);
  const pinned = formatReference(pinReference(reference, artifact.digest));
  if (output === "table") io.out(pinned);
  else printDocument(io, output, { origin, ...description, reference: pinned });
}

async function writeArchive(path: string, archive: Uint8Array): Promise<void> {
  try {
    await writeFile(path, archive);
  } catch (thrown) {
    throw new CliError(exitCodes.unexpected, `cannot write ${path}`, { cause: thrown });
  }
}
