/**
 * How commands speak: data to stdout, talk to stderr, one exit code each. Commands get a `CliIo`
 * and touch neither `process` nor `console`, so that tests can run them in process.
 */
import { stringify as stringifyYaml } from "yaml";
import { codeOf, messageOf } from "../errors.ts";

/** Exit codes of every command; the table is in the README of the command line. */
export const exitCodes = {
  done: 0,
  unexpected: 1,
  usage: 2,
  invalid: 3,
  testsFailed: 4,
  gateTripped: 5,
  denied: 6,
  unreachable: 7,
  unverified: 8,
  unauthorised: 9,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const outputFormats = ["table", "json", "yaml", "jsonl"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface CliIo {
  /** Writes data to stdout; the newline is added. */
  readonly out: (text: string) => void;
  /** Writes talk to stderr; the newline is added. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Columns of the terminal behind stdout; `undefined` where it is none. */
  readonly columns: number | undefined;
  /** Sets the exit code of the process; the last call wins. */
  readonly exit: (code: ExitCode) => void;
}

/** Thrown by a command to end with a message on stderr and an exit code. */
export class CliError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

/** Wraps a command's action: a thrown error becomes one line on stderr and an exit code. */
export function action<Args extends readonly unknown[]>(
  io: CliIo,
  run: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await run(...args);
    } catch (thrown) {
      reportError(io, thrown);
    }
  };
}

function reportError(io: CliIo, thrown: unknown): void {
  const code = codeOf(thrown);
  io.err(
    code === undefined ? `error: ${messageOf(thrown)}` : `error: ${messageOf(thrown)} [${code}]`,
  );
  io.exit(thrown instanceof CliError ? thrown.exitCode : exitCodes.unexpected);
}

/** Parses `-o`; an unknown format is a usage error that names the known ones. */
export function parseOutputFormat(value: string): OutputFormat {
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
  else if (format === "jsonl") for (const item of items) io.out(JSON.stringify(item));
  else printDocument(io, format, { items });
}

/** Prints one document as JSON or YAML; `table` prints YAML, the readable form of one document. */
export function printDocument(io: CliIo, format: OutputFormat, document: unknown): void {
  if (format === "json") io.out(JSON.stringify(document, null, 2));
  else if (format === "jsonl") io.out(JSON.stringify(document));
  else io.out(stringifyYaml(document, { lineWidth: 0 }).trimEnd());
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

/**
 * Makes text safe for a terminal: control, format and bidi characters, lone surrogates and line
 * separators become `\u{…}`; what an agent or an upstream wrote cannot move the cursor.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
