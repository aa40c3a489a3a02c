/**
 * How the `policy` commands say what is wrong with a policy, and which exit code that is.
 */
import { resolve } from "node:path";
import type { RegoProblem } from "../../rego/answers.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import { problemText } from "../../rego/problem-text.ts";
import type { PolicyFolder } from "../../rego/read-policy-folder.ts";
import { readPolicyFolder } from "../../rego/read-policy-folder.ts";
import { exitCodes } from "../exit-code.ts";
import { printable } from "../printable.ts";
import type { CliIo } from "../io.ts";
import { resolveLibraries } from "../bundle/resolve-libraries.ts";

/** Prints each problem as `file:line:column: message` and ends with exit code 3. */
export function reportProblems(io: CliIo, folder: string, problems: readonly RegoProblem[]): void {
  for (const problem of problems) {
    for (const line of problemText(problem, folder).split("\n")) io.err(printable(line));
  }
  io.exit(exitCodes.invalid);
}

/**
 * Reads a folder below the current one, with the libraries that it requires; what it does not take is
 * said on stderr.
 */
export async function readFolder(
  io: CliIo,
  toolchain: RegoToolchain,
  folder: string,
): Promise<PolicyFolder> {
  const path = resolve(io.cwd, folder);
  const read = await readPolicyFolder(path);
  const passed = read.ignored.filter((path) => !/(?:^|\/)readme\.md$/i.test(path));
  if (passed.length > 0)
    io.err(`${printable(folder)}: not in a bundle: ${printable(passed.join(", "))}`);
  const { createBundleContext } = await import("../bundle/bundle-context.ts");
  const { libraryDependencies } = await import("../bundle/library-dependencies.ts");
  return await resolveLibraries(read, path, {
    toolchain,
    dependencies: () => libraryDependencies(createBundleContext(io, undefined)),
  });
}
