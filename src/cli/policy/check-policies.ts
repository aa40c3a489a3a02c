/**
 * `policy check`: every folder is checked, also after one that is not in order.
 */
import type { PolicySummary, RegoProblem } from "../../rego/answers.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import { exitCodes } from "../exit-code.ts";
import { type Column, printList } from "../print.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { readFolder, reportProblems } from "./report-problems.ts";

interface CheckRequest {
  readonly io: CliIo;
  readonly toolchain: RegoToolchain;
  readonly folders: readonly string[];
  readonly format: OutputFormat;
}

interface CheckedFolder extends Partial<PolicySummary> {
  readonly folder: string;
  readonly valid: boolean;
  readonly problems: readonly RegoProblem[];
}

const columns: readonly Column<CheckedFolder>[] = [
  { title: "FOLDER", cell: ({ folder }) => folder },
  { title: "VALID", cell: ({ valid }) => (valid ? "yes" : "no") },
  { title: "PACKAGE", cell: ({ package: name }) => name ?? "-" },
  { title: "LAYER", cell: ({ layer }) => layer ?? "-" },
  { title: "RULES", cell: ({ rules }) => rules?.join(", ") ?? "-" },
];

/** Checks the folders and prints what each defines; exit code 3 where one is not in order. */
export async function checkPolicies(request: CheckRequest): Promise<void> {
  const { io, folders, format } = request;
  io.exit(exitCodes.done);
  const checked: CheckedFolder[] = [];
  for (const folder of folders) checked.push(await checkFolder(request, folder));
  printList(io, format, checked, columns);
}

async function checkFolder(
  { io, toolchain }: CheckRequest,
  folder: string,
): Promise<CheckedFolder> {
  const result = await toolchain.check(await readFolder(io, folder));
  if (result.ok) return { folder, valid: true, ...result.value, problems: [] };
  reportProblems(io, folder, result.problems);
  return { folder, valid: false, problems: result.problems };
}
