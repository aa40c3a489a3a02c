/**
 * `policy test`: runs the tests of every folder and says where a failed one failed.
 */
import type { RegoTestReport, RegoTestResult } from "../../rego/answers.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import { exitCodes } from "../exit-code.ts";
import { CliError } from "../io.ts";
import type { Column } from "../print.ts";
import { printList } from "../print.ts";
import { printable } from "../printable.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { readFolder, reportProblems } from "./report-problems.ts";

interface TestRequest {
  readonly io: CliIo;
  readonly toolchain: RegoToolchain;
  readonly folders: readonly string[];
  readonly format: OutputFormat;
  /** Regular expression; empty for all tests. */
  readonly filter: string;
}

interface FolderTest extends RegoTestResult {
  readonly folder: string;
}

const columns: readonly Column<FolderTest>[] = [
  { title: "OUTCOME", cell: ({ outcome }) => outcome },
  { title: "TEST", cell: (test) => `${test.package}.${test.name}` },
  { title: "MS", cell: ({ duration_ns: ns }) => (ns / 1e6).toFixed(1) },
  { title: "PLACE", cell: ({ folder, file, row }) => `${folder}/${file}:${row}` },
];

/** Runs the tests; exit code 3 for a policy that is not in order, 4 for a test that fails. */
export async function testPolicies(request: TestRequest): Promise<void> {
  const { io, folders, format } = request;
  io.exit(exitCodes.done);
  const reports: (readonly FolderTest[] | undefined)[] = [];
  for (const folder of folders) reports.push(await testFolder(request, folder));
  const tests = reports.flatMap((report) => report ?? []);
  printList(io, format, tests, columns);
  if (!reports.includes(undefined) && tests.length === 0) {
    throw new CliError(
      exitCodes.testsFailed,
      "expected at least one test (test_… in *_test.rego), found none",
    );
  }
}

/** Undefined where the policy is not in order. */
async function testFolder(
  { io, toolchain, filter }: TestRequest,
  folder: string,
): Promise<readonly FolderTest[] | undefined> {
  const result = await toolchain.test({ ...(await readFolder(io, toolchain, folder)), filter });
  if (!result.ok) {
    reportProblems(io, folder, result.problems);
    return undefined;
  }
  for (const test of result.value.tests) reportTest(io, folder, test);
  io.err(summaryOf(folder, result.value));
  return result.value.tests.map((test) => ({ folder, ...test }));
}

function reportTest(io: CliIo, folder: string, test: RegoTestResult): void {
  if (test.outcome !== "fail" && test.outcome !== "error") return;
  io.exit(exitCodes.testsFailed);
  const { file, row, col, text } = test.failed_at ?? { ...test, col: 1, text: test.error ?? "" };
  const failed = test.cases.filter(({ outcome }) => outcome === "fail").map(({ name }) => name);
  const cases = failed.length === 0 ? "" : ` (${failed.join(", ")})`;
  io.err(printable(`${folder}/${file}:${row}:${col}: ${test.name} failed${cases}: ${text}`));
  for (const line of test.output.split("\n")) if (line !== "") io.err(`  ${printable(line)}`);
}

function summaryOf(folder: string, { tests, coverage }: RegoTestReport): string {
  const passed = tests.filter(({ outcome }) => outcome === "pass").length;
  const skipped = tests.filter(({ outcome }) => outcome === "skip").length;
  const failed = tests.length - passed - skipped;
  const counts = `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
  return printable(`${folder}: ${counts}, ${coverage.percent} % of lines covered`);
}
