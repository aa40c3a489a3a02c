/**
 * From a folder of sources to the files of a bundle: what `policy build`, `bundle push` and a
 * `file:` source have in common.
 */
import type { LayerKind } from "../contract/bundle.ts";
import type { BuiltPolicy } from "./answers.ts";
import type { RegoToolchain } from "./create-rego-toolchain.ts";
import { problemText } from "./problem-text.ts";
import type { PolicyFolder } from "./read-policy-folder.ts";
import { readPolicyFolder } from "./read-policy-folder.ts";
import { RegoError } from "./rego-error.ts";

/**
 * Reads and builds a folder.
 *
 * @param layer - what the bundle is to be used as; any where it is not said
 * @param complete - adds what the folder requires from elsewhere
 * @throws RegoError `rego_invalid` with every problem, one a line, when the policy is not in order
 */
export async function buildPolicyFolder(
  toolchain: Pick<RegoToolchain, "build">,
  folder: string,
  layer?: LayerKind,
  complete: (sources: PolicyFolder) => Promise<PolicyFolder> = (sources) =>
    Promise.resolve(sources),
): Promise<BuiltPolicy> {
  const sources = await complete(await readPolicyFolder(folder));
  const built = await toolchain.build({ ...sources, ...(layer === undefined ? {} : { layer }) });
  if (built.ok) return built.value;
  const lines = built.problems.map((problem) => problemText(problem, folder));
  throw new RegoError("rego_invalid", `the policy is not in order\n${lines.join("\n")}`, {
    problems: built.problems,
  });
}
