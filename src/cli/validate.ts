/**
 * `mcp-gateway validate [FILE]`: says everything that is wrong with a configuration, each problem
 * with its place, its line and a caret. Reads the file and what it expands, and starts nothing.
 */
import type { Command } from "commander";
import { ConfigError, formatProblem } from "../config/config-error.ts";
import type { ConfigProblem } from "../config/config-error.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { loadConfigFor } from "./common-options.ts";
import { exitCodes } from "./exit-code.ts";
import { action } from "./io.ts";
import { printDocument, withOutputOption } from "./print.ts";
import { printable } from "./printable.ts";
import type { CliIo } from "./io.ts";
import type { OutputFormat } from "./print.ts";

interface ValidateOptions {
  readonly config?: string;
  readonly output: OutputFormat;
}

/** Adds the command; without FILE it checks the configuration that `serve` would use. */
export function registerValidateCommand(program: Command, io: CliIo): void {
  withOutputOption(program.command("validate"))
    .description("check a configuration and say everything that is wrong with it")
    .argument("[file]", "configuration to check instead of the one that serve would use")
    .option("-c, --config <file>", "the same as [file]")
    .action(
      action(io, async (file: string | undefined, options: ValidateOptions) =>
        validate(io, file ?? options.config, options.output),
      ),
    );
}

async function validate(io: CliIo, file: string | undefined, format: OutputFormat): Promise<void> {
  try {
    reportValid(io, loadConfigFor(io, file), format);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    reportInvalid(io, error, format);
  }
}

function reportValid(io: CliIo, { config, warnings }: LoadedConfig, format: OutputFormat): void {
  io.exit(exitCodes.done);
  if (format !== "table") {
    const document = { valid: true, path: config.path, posture: config.posture };
    printDocument(io, format, { ...document, problems: [], warnings: warnings.map(toJson) });
    return;
  }
  for (const warning of warnings) printProblem(io, config.path, warning, "warning: ");
  const counts = `${count(config.servers.size, "server")}, ${count(config.layers.length, "layer")}`;
  io.err(`${printable(config.path)}: valid (${counts}, ${config.posture})`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function reportInvalid(io: CliIo, error: ConfigError, format: OutputFormat): void {
  io.exit(exitCodes.invalid);
  const { code, path, problems } = error;
  if (format !== "table") {
    const message = error.message.split("\n")[0];
    printDocument(io, format, {
      valid: false,
      ...(path === undefined ? {} : { path }),
      error: { code, message },
      problems: problems.map(toJson),
      warnings: [],
    });
    return;
  }
  if (problems.length === 0) io.err(`error: ${printable(error.message)} [${code}]`);
  for (const problem of problems) printProblem(io, path ?? "", problem, "");
}

function printProblem(io: CliIo, path: string, problem: ConfigProblem, prefix: string): void {
  const { text, caret } = problem.excerpt;
  const shown = text.trimStart();
  const indent = caret - (text.length - shown.length);
  io.err(printable(formatProblem(path, { ...problem, message: `${prefix}${problem.message}` })));
  io.err(`    ${printable(shown)}`);
  io.err(`    ${" ".repeat(Math.max(0, indent))}^`);
}

function toJson({ line, column, pointer, message }: ConfigProblem): object {
  return { line, column, pointer, message };
}
