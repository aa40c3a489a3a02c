/**
 * How `server pin` prints tools: a table and the differences below it for people, documents with both
 * for programs.
 */
import type { ComparedTool } from "../../mcp/catalog/compare-tools.ts";
import type { DefinitionChange } from "../../mcp/catalog/diff-definition.ts";
import type { CliIo } from "../io.ts";
import type { OutputFormat } from "../print.ts";
import { printList } from "../print.ts";
import { printable } from "../printable.ts";

interface ToolRow {
  readonly tool: string;
  /** What it was before this command. */
  readonly state: ComparedTool["state"];
  /** Of the definition that is listed. */
  readonly digest: string;
  readonly pinned_at: string | null;
  readonly changes: readonly {
    /** RFC 6901 pointer into the definition. */
    readonly pointer: string;
    /** JSON text; `null` where there is nothing. */
    readonly before: string | null;
    readonly after: string | null;
  }[];
}

const columns = [
  { title: "TOOL", cell: (row: ToolRow) => row.tool },
  { title: "STATE", cell: (row: ToolRow) => row.state },
  { title: "PINNED AT", cell: (row: ToolRow) => row.pinned_at ?? "-" },
  { title: "DIGEST", cell: (row: ToolRow) => row.digest.slice(0, 19) },
];

/** Prints the tools, and what changed in each. */
export function printTools(io: CliIo, output: OutputFormat, tools: readonly ComparedTool[]): void {
  printList(io, output, tools.map(rowOf), columns);
  if (output !== "table") return;
  for (const { tool, changes } of tools.filter((one) => one.changes.length > 0)) {
    io.out(`\n${printable(tool.name)}`);
    for (const change of changes) printChange(io, change);
  }
}

function rowOf({ tool, state, pinnedAt, changes }: ComparedTool): ToolRow {
  return {
    tool: tool.name,
    state,
    digest: tool.digest,
    pinned_at: pinnedAt ?? null,
    changes: changes.map(({ pointer, before, after }) => ({
      pointer,
      before: before ?? null,
      after: after ?? null,
    })),
  };
}

function printChange(io: CliIo, { pointer, before, after }: DefinitionChange): void {
  io.out(`  ${printable(pointer === "" ? "/" : pointer)}`);
  if (before !== undefined) io.out(`    - ${printable(before)}`);
  if (after !== undefined) io.out(`    + ${printable(after)}`);
}
