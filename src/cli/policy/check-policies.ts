/**
 * `policy check`: every folder is checked, also after one that is not in order.
 */
import { join } from "node:path";
import type { PolicySummary, RegoProblem } from "../../rego/answers.ts";
import type { RegoToolchain } from "../../rego/create-rego-toolchain.ts";
import type { PolicyFolder } from "../../rego/read-policy-folder.ts";
import { exitCodes } from "../exit-code.ts";
import type { Column } from "../print.ts";
import { printList } from "../print.ts";
import { printable } from "../printable.ts";
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
  /** What does not keep it from being used here, but elsewhere. */
  readonly warnings: readonly string[];
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
  const sources = await readFolder(io, toolchain, folder);
  const result = await toolchain.check(sources);
  if (!result.ok) {
    reportProblems(io, folder, result.problems);
    return { folder, valid: false, problems: result.problems, warnings: [] };
  }
  const warnings = warningsOf(sources, folder);
  for (const warning of warnings) io.err(printable(`warning: ${warning}`));
  return { folder, valid: true, ...result.value, problems: [], warnings };
}

/** A folder without a name is good for `serve --dev`, and is refused where it is to be pushed. */
function warningsOf({ manifest }: PolicyFolder, folder: string): readonly string[] {
  if (typeof manifest.metadata?.["name"] === "string") return [];
  const path = join(folder, ".manifest");
  return [
    `${path}: found no metadata.name, without which bundle push refuses the folder; name the server or layer that it is for: {"metadata": {"name": "NAME"}}`,
  ];
}
