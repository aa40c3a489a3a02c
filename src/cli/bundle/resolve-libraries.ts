/**
 * Finds the libraries that a folder of sources requires, wherever they are kept, checks that each is
 * the very one that is required, and puts them beside the sources. What comes from a registry is kept
 * in the cache: the next build needs no network.
 */
import { resolve } from "node:path";
import type { BundleDependencies } from "../../bundle/bundle-dependencies.ts";
import type { Reference } from "../../bundle/reference.ts";
import type { Digest } from "../../contract/bundle.ts";
import type { Library, Requirement } from "../../rego/copy-libraries.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import type { PolicyFolder } from "../../rego/read-policy-folder.ts";

/** What resolving needs; the rest is asked for where a folder requires anything. */
export interface LibraryTools {
  readonly toolchain: Pick<RegoToolchain, "build" | "check">;
  readonly dependencies: () => BundleDependencies;
}

interface FoundLibrary {
  readonly archive: Uint8Array;
  readonly digest: Digest;
  /** Keeps it where its source may be away later. */
  readonly keep: () => Promise<void>;
}

/**
 * The sources with their libraries.
 *
 * @param folder - absolute; references are relative to it
 * @throws BundleError, RegoError
 */
export async function resolveLibraries(
  policy: PolicyFolder,
  folder: string,
  tools: LibraryTools,
): Promise<PolicyFolder> {
  const { requirementsOf, copyLibraries } = await import("../../rego/copy-libraries.ts");
  const requirements = requirementsOf(policy, folder);
  if (requirements.length === 0) return policy;
  const libraries: Library[] = [];
  for (const requirement of requirements) {
    libraries.push(await openRequired(requirement, folder, tools));
  }
  return await copyLibraries(policy, libraries, folder, tools.toolchain);
}

async function openRequired(
  requirement: Requirement,
  folder: string,
  tools: LibraryTools,
): Promise<Library> {
  const { openArchive } = await import("../../bundle/archive.ts");
  const { mismatch, openLibrary } = await import("../../bundle/open-library.ts");
  const { parseBaseDocument } = await import("./build-sources.ts");
  const { name, reference, digest } = requirement;
  const where = `library "${name}" from ${reference}`;
  const found = await findLibrary(requirement, folder, tools, where);
  if (found.digest !== digest) {
    const advice = "look at what changed, then write this digest into metadata.requires";
    throw mismatch(where, digest, `${found.digest}; ${advice}`);
  }
  const library = openLibrary(openArchive(found.archive), requirement, where);
  await found.keep();
  return { ...library, data: parseBaseDocument(library.dataJson) };
}

async function findLibrary(
  { reference, digest }: Requirement,
  folder: string,
  tools: LibraryTools,
  where: string,
): Promise<FoundLibrary> {
  const { parseReference, pinReference, resolveReference } =
    await import("../../bundle/reference.ts");
  const parsed = resolveReference(parseReference(reference), folder);
  switch (parsed.scheme) {
    case "file":
      return await buildLibrary(resolve(folder, parsed.path), tools);
    case "oci":
    case "oci-layout":
      return await fetchLibrary(pinReference(parsed, digest), tools, where);
    case "https":
    case "git":
      return await fetchLibrary(parsed, tools, where);
  }
}

/** A folder beside this one; its digest is that of the archive that `policy build` makes of it. */
async function buildLibrary(path: string, { toolchain }: LibraryTools): Promise<FoundLibrary> {
  const { packBundle } = await import("../../bundle/archive.ts");
  const { sha256Of } = await import("../../contract/sha256.ts");
  const { buildPolicyFolder } = await import("../../rego/build-policy-folder.ts");
  const archive = packBundle((await buildPolicyFolder(toolchain, path)).files);
  return { archive, digest: sha256Of(archive), keep: async () => {} };
}

async function fetchLibrary(
  reference: Reference,
  { dependencies }: LibraryTools,
  where: string,
): Promise<FoundLibrary> {
  const { BundleError } = await import("../../bundle/bundle-error.ts");
  const { formatReference } = await import("../../bundle/reference.ts");
  const { fetchCurrent } = await import("../../bundle/sources/fetch-current.ts");
  try {
    return await fetchCurrent(formatReference(reference), { kind: "server" }, dependencies());
  } catch (thrown) {
    if (!(thrown instanceof BundleError) || thrown.code !== "bundle_not_found") throw thrown;
    throw new BundleError(
      "bundle_not_found",
      `${where}: expected it with the digest of metadata.requires, found none: ${thrown.message}; where it was published anew, look at what changed and write the new digest`,
      { cause: thrown },
    );
  }
}
