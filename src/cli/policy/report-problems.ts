/**
 * How the `policy` commands say what is wrong with a policy, and which exit code that is.
 */
import { resolve } from "node:path";
import type { RegoProblem } from "../../rego/answers.ts";
import { problemText } from "../../rego/problem-text.ts";
import { type PolicyFolder, readPolicyFolder } from "../../rego/read-policy-folder.ts";
import { exitCodes } from "../exit-code.ts";
import { printable } from "../printable.ts";
import type { CliIo } from "../io.ts";

/** Prints each problem as `file:line:column: message` and ends with exit code 3. */
export function reportProblems(io: CliIo, folder: string, problems: readonly RegoProblem[]): void {
  for (const problem of problems) {
    for (const line of problemText(problem, folder).split("\n")) io.err(printable(line));
  }
  io.exit(exitCodes.invalid);
}

/** Reads a folder below the current one; what it does not take is said on stderr. */
export async function readFolder(io: CliIo, folder: string): Promise<PolicyFolder> {
  const read = await readPolicyFolder(resolve(io.cwd, folder));
  const passed = read.ignored.filter((path) => !/(?:^|\/)readme\.md$/i.test(path));
  if (passed.length > 0)
    io.err(`${printable(folder)}: not in a bundle: ${printable(passed.join(", "))}`);
  return read;
}
