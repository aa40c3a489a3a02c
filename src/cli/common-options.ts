/**
 * What the commands that work with a configuration have in common: the option that names it,
 * its loading, and the state folder. `-o` is in `print.ts`, since `serve` has none and starts without the YAML writer.
 */
import type { Command } from "commander";
import { resolveConfigPath } from "../config/config-path.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { loadConfig } from "../config/load-config.ts";
import { ensurePrivateDir, resolveStatePaths } from "../config/state-paths.ts";
import type { CliIo } from "./io.ts";

/** Adds `-c`. */
export function withConfigOption(command: Command): Command {
  return command.option(
    "-c, --config <file>",
    "configuration file (default: see docs/configure.md)",
  );
}

/**
 * Loads the configuration that `-c` names, else the one that is found.
 *
 * @throws ConfigError
 */
export function loadConfigFor(io: CliIo, config: string | undefined): LoadedConfig {
  return loadConfig({ path: resolveConfigPath({ config }, io.env, io.cwd), env: io.env });
}

/**
 * The state folder, which is nobody else's.
 *
 * @throws ConfigError
 */
export function stateDirOf(io: CliIo): string {
  return ensurePrivateDir(resolveStatePaths(io.env, io.cwd).stateDir);
}
