/**
 * `policy test --stack`: table cases through all configured layers and the combining, as the gateway
 * would decide them. For a case that fails it says what every layer said.
 */
import { readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { sourceCheckDeps } from "../../bundle/source-check-deps.ts";
import { loadConfigFor } from "../../common-options.ts";
import { exitCodes } from "../../exit-code.ts";
import type { CliIo } from "../../io.ts";
import { CliError } from "../../io.ts";
import { requireLock } from "../../locked-config.ts";
import type { Column, OutputFormat } from "../../print.ts";
import { printList } from "../../print.ts";
import { printable } from "../../printable.ts";
import type { Found, LayerSaying } from "./compare-case.ts";
import { differencesOf, foundOf, sayingsOf } from "./compare-case.ts";
import { junitOf } from "./junit.ts";
import type { Stack } from "./open-stack.ts";
import { withStack } from "./open-stack.ts";
import { runCase } from "./run-case.ts";
import type { Expectation, StackCase, StackFile } from "./stack-case.ts";
import { readStackFile } from "./stack-case.ts";

export interface StackTestRequest {
  readonly io: CliIo;
  readonly config: string | undefined;
  /** None: those beside the configuration. */
  readonly files: readonly string[];
  readonly format: OutputFormat;
  /** Regular expression over names of cases; empty for all. */
  readonly filter: string;
  /** Where to write the report of build servers. */
  readonly junit: string | undefined;
}

/** What became of one case; names as in the output of other commands. */
export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly outcome: "pass" | "fail";
  readonly expected: Expectation;
  readonly found: Found;
  readonly differences: readonly string[];
  readonly layers: readonly LayerSaying[];
}

const columns: readonly Column<CaseResult>[] = [
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
  { title: "EFFECT", cell: ({ found }) => found.effect },
  { title: "REASONS", cell: ({ found }) => found.reasons.join(", ") || "-" },
  { title: "CASE", cell: ({ name }) => name },
];

/** Runs the cases; exit code 3 for a file that cannot be read, 4 for a case that fails. */
export async function testStack(request: StackTestRequest): Promise<void> {
  const { io, format, junit } = request;
  const loaded = await requireLock(loadConfigFor(io, request.config));
  const files = await casesOf(request, loaded.config.path);
  const dependencies = sourceCheckDeps(io, loaded.config, true);
  const results = await withStack(loaded, dependencies, (stack) => runAll(stack, files));
  const failed = results.filter(({ outcome }) => outcome === "fail");
  io.exit(failed.length === 0 ? exitCodes.done : exitCodes.testsFailed);
  printList(io, format, results, columns);
  for (const result of failed) report(io, result);
  io.err(`${results.length - failed.length} passed, ${failed.length} failed`);
  if (junit !== undefined) await writeFile(resolve(io.cwd, junit), junitOf(results));
}

async function casesOf(
  { io, files, filter }: StackTestRequest,
  configPath: string,
): Promise<readonly StackFile[]> {
  const named = files.length > 0 ? files : await findFiles(io, dirname(configPath));
  const pattern = new RegExp(filter, "u");
  const read = await Promise.all(named.map((file) => readStackFile(file, resolve(io.cwd, file))));
  const chosen = read.map(({ file, cases }) => ({
    file,
    cases: cases.filter(({ name }) => pattern.test(name)),
  }));
  if (chosen.some(({ cases }) => cases.length > 0)) return chosen;
  throw new CliError(
    exitCodes.testsFailed,
    `expected at least one case, in files that are named or in *.stack.yaml beside ${configPath}, found none`,
  );
}

async function findFiles(io: CliIo, folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  const found = names.filter((name) => /\.stack\.(?:ya?ml|json)$/u.test(name)).toSorted();
  return found.map((name) => relative(io.cwd, join(folder, name)));
}

async function runAll(stack: Stack, files: readonly StackFile[]): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { file, cases } of files) {
    for (const one of cases) results.push(await resultOf(stack, file, one));
  }
  return results;
}

async function resultOf(stack: Stack, file: string, one: StackCase): Promise<CaseResult> {
  const { name, expect: expected } = one;
  const decided = await runCase(stack, one);
  const found = foundOf(decided);
  const differences = differencesOf(expected, found);
  const outcome = differences.length === 0 ? "pass" : "fail";
  return { file, name, outcome, expected, found, differences, layers: sayingsOf(decided.verdicts) };
}

function report(io: CliIo, { file, name, differences, layers }: CaseResult): void {
  io.err(printable(`${file}: ${name}: failed`));
  for (const difference of differences) io.err(printable(`  ${difference}`));
  for (const { layer, kind, said } of layers) {
    io.err(printable(`  ${layer} (${kind}): ${said.join("; ")}`));
  }
}
