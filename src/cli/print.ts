/**
 * How commands print data: tables for people, JSON and YAML for programs, nothing that could move a
 * terminal's cursor. Apart from `io.ts`, so that `serve` starts without the YAML writer.
 */
import type { Command } from "commander";
import { Document, visit } from "yaml";
import type { CliIo } from "./io.ts";
import { exitCodes } from "./exit-code.ts";
import { CliError } from "./io.ts";
import { isUnsafe, printable, safeJson, safeYaml } from "./printable.ts";

export const outputFormats = ["table", "json", "yaml", "jsonl"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Adds `-o`; an unknown format is a usage error that names the known ones. */
export function withOutputOption(command: Command, preset: OutputFormat = "table"): Command {
  const described = "table, json, yaml or jsonl";
  return command.option("-o, --output <format>", described, parseOutputFormat, preset);
}

function parseOutputFormat(value: string): OutputFormat {
  const format = outputFormats.find((known) => known === value);
  if (format !== undefined) return format;
  throw new CliError(
    exitCodes.usage,
    `expected -o to be one of ${outputFormats.join(", ")}, got "${value}"`,
  );
}

export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => string;
}

/** Prints a list: a borderless table, `{"items": […]}`, or one JSON document a line. */
export function printList<Item>(
  io: CliIo,
  format: OutputFormat,
  items: readonly Item[],
  columns: readonly Column<Item>[],
): void {
  if (format === "table") printTable(io, items, columns);
  else if (format === "jsonl") for (const item of items) io.out(safeJson(JSON.stringify(item)));
  else printDocument(io, format, { items });
}

/** Prints one document as JSON or YAML; `table` prints YAML, the readable form of one document. */
export function printDocument(io: CliIo, format: OutputFormat, document: unknown): void {
  if (format === "json") io.out(safeJson(JSON.stringify(document, null, 2)));
  else if (format === "jsonl") io.out(safeJson(JSON.stringify(document)));
  else io.out(toYaml(document));
}

/** YAML in which strings with unsafe characters are quoted, so that escapes mean what they say. */
function toYaml(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === "string" && isUnsafe(node.value.replaceAll("\n", ""))) {
        node.type = "QUOTE_DOUBLE";
      }
    },
  });
  return safeYaml(document.toString({ lineWidth: 0 }).trimEnd());
}

function printTable<Item>(
  io: CliIo,
  items: readonly Item[],
  columns: readonly Column<Item>[],
): void {
  const rows = [
    columns.map((column) => column.title),
    ...items.map((item) => columns.map((column) => printable(column.cell(item)))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...rows.map((row) => widthOf(row[index] ?? ""))),
  );
  for (const row of rows) {
    io.out(
      row
        .map((cell, index) => pad(cell, widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - widthOf(cell)));
}
