/**
 * Holds a library against the paths that it says are its own. What comes from elsewhere must not add
 * rules to the package that answers, whatever its manifest says.
 */
import type { Library } from "./copy-libraries.ts";
import type { PolicySources, RegoToolchain } from "./create-rego-toolchain.ts";
import { isBelow, leavesOf } from "./data-paths.ts";
import { problemText } from "./problem-text.ts";
import { RegoError } from "./rego-error.ts";

/**
 * Whether its modules keep to them is the compiler's to say: it reads them as the build will, under
 * the same names.
 *
 * @param copied - its modules as they stand in the sources that are built, with their manifest
 * @param where - for messages
 * @throws RegoError `rego_invalid`
 */
export async function requireOwnPaths(
  library: Library,
  { modules, manifest }: Required<Pick<PolicySources, "modules" | "manifest">>,
  where: string,
  toolchain: Pick<RegoToolchain, "check">,
): Promise<void> {
  const { name, revision, roots, data } = library;
  const foreign = leavesOf(data).find((path) => !roots.some((root) => isBelow(path, root)));
  if (foreign !== undefined) throw strays(library, where, `data at "${foreign}"`);
  const checked = await toolchain.check({
    modules,
    manifest: {
      revision,
      roots,
      metadata: { name, layer: "library" },
      rego_version: manifest.rego_version,
      file_rego_versions: manifest.file_rego_versions,
    },
  });
  if (checked.ok) return;
  throw strays(library, where, checked.problems.map((problem) => problemText(problem)).join("\n"));
}

function strays({ name, roots }: Library, where: string, found: string): RegoError {
  const expected = `${where}: expected library "${name}" to keep to its paths (${roots.join(", ")})`;
  const message = `${expected}, found ${found}; take a version of it that does`;
  return new RegoError("rego_invalid", message);
}
