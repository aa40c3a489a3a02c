/**
 * `mcp-gateway validate [FILE]`: says everything that is wrong with a configuration, each problem
 * with its place, its line and a caret, and then what would not work of what it names: bundles that
 * are not there or not the right ones, keys and certificates that cannot be read, programs that are
 * not on `PATH`. Starts no server, and asks nobody over the network unless told to.
 */
import type { Command } from "commander";
import { systemClock } from "../config/ambient.ts";
import type { ConfigProblem } from "../config/config-error.ts";
import { ConfigError, formatProblem } from "../config/config-error.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { resolveStatePaths } from "../config/state-paths.ts";
import { loadConfigFor } from "./common-options.ts";
import { exitCodes } from "./exit-code.ts";
import { action } from "./io.ts";
import type { LockedConfig } from "./locked-config.ts";
import { withLock } from "./locked-config.ts";
import { printDocument, withOutputOption } from "./print.ts";
import { printable, printableLines } from "./printable.ts";
import type { CliIo } from "./io.ts";
import type { OutputFormat } from "./print.ts";
import type { BundleReport } from "./validate/check-bundles.ts";

interface ValidateOptions {
  readonly config?: string;
  readonly online?: boolean;
  readonly frozen?: boolean;
  readonly output: OutputFormat;
}

/** Adds the command; without FILE it checks the configuration that `serve` would use. */
export function registerValidateCommand(program: Command, io: CliIo): void {
  withOutputOption(program.command("validate"))
    .description("check a configuration, its bundles and its programs; exit code 3 for a problem")
    .argument("[file]", "configuration to check instead of the one that serve would use")
    .option("-c, --config <file>", "the same as [file]")
    .option("--online", "load bundles from registries too, not only those on this machine")
    .option("--frozen", "the lock has to have an entry for every source of policy")
    .action(
      action(io, async (file: string | undefined, options: ValidateOptions) =>
        validate(io, file ?? options.config, options),
      ),
    );
}

async function validate(
  io: CliIo,
  file: string | undefined,
  { output, online = false, frozen = false }: ValidateOptions,
): Promise<void> {
  try {
    const loaded = await withLock(loadConfigFor(io, file), frozen);
    const report = await checkParts(io, loaded, online);
    reportConfig(io, loaded, report, output);
  } catch (error) {
    // A lock that cannot be read ends the command with its own place and exit code.
    if (!(error instanceof ConfigError)) throw error;
    reportInvalid(io, error, output);
  }
}

/** Bundles, files, programs and pins; the stages that load bundles are loaded where there are any. */
async function checkParts(io: CliIo, loaded: LockedConfig, online: boolean): Promise<BundleReport> {
  const { checkCommands } = await import("./validate/check-commands.ts");
  const { checkBundles } = await import("./validate/check-bundles.ts");
  const { checkFiles } = await import("./validate/check-files.ts");
  const { checkObserved } = await import("./validate/check-observed.ts");
  const { checkPins } = await import("./validate/check-pins.ts");
  const { sourceCheckDeps } = await import("./bundle/source-check-deps.ts");
  const dependencies = sourceCheckDeps(io, loaded.config, true);
  const bundles = await checkBundles({ loaded, online, dependencies });
  const files = await checkFiles(loaded);
  const { stateDir } = resolveStatePaths(io.env, io.cwd);
  const pins = (await checkPins(loaded.config, stateDir)).map(({ server, reason }) =>
    loaded.problemAt(
      ["servers", server],
      `servers.${server}: ${reason}; until then its tools are denied`,
    ),
  );
  const warnings = [...loaded.warnings, ...checkCommands(loaded, io.env), ...bundles.warnings];
  const problems = [...loaded.problems, ...files, ...bundles.problems];
  const ended = checkObserved(loaded, systemClock.nowMs());
  return { ...bundles, problems, warnings: [...warnings, ...ended, ...pins] };
}

function reportConfig(
  io: CliIo,
  { config }: LoadedConfig,
  { bundles, problems, warnings }: BundleReport,
  format: OutputFormat,
): void {
  const valid = problems.length === 0;
  io.exit(valid ? exitCodes.done : exitCodes.invalid);
  if (format !== "table") {
    const document = { valid, path: config.path, posture: config.posture, bundles };
    const found = { problems: problems.map(toJson), warnings: warnings.map(toJson) };
    printDocument(io, format, { ...document, ...found });
    return;
  }
  // What is wrong with a policy in a folder takes several lines.
  for (const problem of problems) printProblem(io, config.path, problem, "", printableLines);
  for (const warning of warnings) printProblem(io, config.path, warning, "warning: ");
  if (!valid) return;
  const counts = `${count(config.servers.size, "server")}, ${count(config.layers.length, "layer")}`;
  const summary = `valid (${counts}, ${config.posture})${bundleSummary(bundles)}`;
  io.err(`${printable(config.path)}: ${summary}`);
}

function bundleSummary(bundles: BundleReport["bundles"]): string {
  if (bundles.length === 0) return "";
  const loaded = bundles.filter(({ state }) => state === "loaded").length;
  const remote = bundles.length - loaded;
  const hint = remote === 0 ? "" : `, ${remote} remote not asked for (--online)`;
  const locked = bundles.filter((bundle) => bundle.locked).length;
  const lockHint = locked === 0 ? "" : `, ${locked} locked`;
  return `; ${count(loaded, "bundle")} loaded${lockHint}${hint}`;
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

function printProblem(
  io: CliIo,
  path: string,
  problem: ConfigProblem,
  prefix: string,
  show = printable,
): void {
  const { text, caret } = problem.excerpt;
  const shown = text.trimStart();
  const indent = caret - (text.length - shown.length);
  io.err(show(formatProblem(path, { ...problem, message: `${prefix}${problem.message}` })));
  io.err(`    ${printable(shown)}`);
  io.err(`    ${" ".repeat(Math.max(0, indent))}^`);
}

function toJson({ line, column, pointer, message }: ConfigProblem): object {
  return { line, column, pointer, message };
}
