/**
 * How the `policy` commands say what is wrong with a policy, and which exit code that is.
 */
import { resolve } from "node:path";
import type { RegoProblem } from "../../rego/answers.ts";
import { problemText } from "../../rego/problem-text.ts";
import { type PolicyFolder, readPolicyFolder } from "../../rego/read-policy-folder.ts";
import { RegoError } from "../../rego/rego-error.ts";
import { CliError, exitCodes } from "../io.ts";
import { printable } from "../print.ts";
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
  const read = await asInvalid(() => readPolicyFolder(resolve(io.cwd, folder)));
  const passed = read.ignored.filter((path) => !/(?:^|\/)readme\.md$/i.test(path));
  if (passed.length > 0)
    io.err(`${printable(folder)}: not in a bundle: ${printable(passed.join(", "))}`);
  return read;
}

/** Runs a step whose `rego_invalid` is the author's mistake: exit code 3, not 1. */
async function asInvalid<Value>(step: () => Promise<Value>): Promise<Value> {
  try {
    return await step();
  } catch (thrown) {
    if (!(thrown instanceof RegoError) || thrown.code !== "rego_invalid") throw thrown;
    throw new CliError(exitCodes.invalid, thrown.message, { cause: thrown });
  }
}
