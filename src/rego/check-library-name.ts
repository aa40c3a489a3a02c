/**
 * Whether a library has a name by which a policy can require it: `metadata.requires` takes no other.
 */
import type { RegoProblem } from "./answers.ts";
import type { PolicySources } from "./create-rego-toolchain.ts";

/** What the name of a library has to be. */
export const libraryName = /^lib-[a-z0-9-]{1,28}$/;

/** What is wrong with the name of a library; nothing for a bundle that is none. */
export function libraryNameProblems({ manifest, layer }: PolicySources): readonly RegoProblem[] {
  const { name, layer: said } = manifest?.metadata ?? {};
  if ((layer ?? said) !== "library") return [];
  if (name === undefined || (typeof name === "string" && libraryName.test(name))) return [];
  const message = `metadata.name: expected lib- and up to 28 of a-z, 0-9 and -, since no policy can require a library of another name, found ${JSON.stringify(name)}`;
  const place = { file: ".manifest", row: 0, col: 0 };
  return [{ code: "contract_library_name", message, ...place, details: [] }];
}
