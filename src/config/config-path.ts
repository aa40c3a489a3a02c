/**
 * Which configuration file is meant: the option, the variable, the current folder, the user's own
 * folder, in this order. Looks whether files exist and reads none.
 */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./expand-references.ts";

/** Name of the file in every folder that is searched. */
const configFileName = "mcp-gateway.config.json";

/**
 * Absolute path of the configuration.
 *
 * @throws ConfigError `config_not_found` with the places that were tried.
 */
export function resolveConfigPath(
  options: { readonly config?: string | undefined },
  env: Environment,
  cwd: string,
): string {
  if (options.config !== undefined) return existing(cwd, options.config, "--config");
  const named = env["MCP_GATEWAY_CONFIG"];
  if (named !== undefined && named !== "") return existing(cwd, named, "MCP_GATEWAY_CONFIG");
  const places = [join(cwd, configFileName), join(configFolder(env), configFileName)];
  const found = places.find(exists);
  if (found !== undefined) return found;
  throw new ConfigError(
    "config_not_found",
    `found no configuration: --config and MCP_GATEWAY_CONFIG are not set, and there is no ${places.join(" and no ")}`,
  );
}

/** The home folder that the environment names, else the account's. */
export function homeFolder(env: Environment): string {
  const home = env["HOME"] ?? env["USERPROFILE"];
  return home === undefined || home === "" ? homedir() : home;
}

/** A base folder of the XDG specification; relative values are ignored, as it demands. */
export function xdgFolder(env: Environment, name: string, fallback: readonly string[]): string {
  const value = env[name];
  if (value !== undefined && isAbsolute(value)) return value;
  return join(homeFolder(env), ...fallback);
}

function configFolder(env: Environment): string {
  return join(xdgFolder(env, "XDG_CONFIG_HOME", [".config"]), "mcp-gateway");
}

function existing(cwd: string, given: string, source: string): string {
  const path = resolve(cwd, given);
  if (exists(path)) return path;
  throw new ConfigError(
    "config_not_found",
    `expected a configuration at ${path}, which ${source} names; there is none`,
  );
}

/** A place that may not be looked into counts as one, so that reading it says why. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
