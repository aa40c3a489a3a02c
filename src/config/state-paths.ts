/**
 * Where the gateway keeps what outlives a process: state (spool, embedded store, pins, locks) and
 * the bundle cache. State is for its owner alone: the folder is made with mode 0700, and one that
 * others can write to is refused, because who writes there writes records and pins.
 */
import { mkdirSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { codeOf, messageOf } from "../errors.ts";
import { homeFolder, xdgFolder } from "./config-path.ts";
import { ConfigError } from "./config-error.ts";
import type { Environment } from "./expand-references.ts";

export interface StatePaths {
  /** `$MCP_GATEWAY_STATE`, else below `$XDG_STATE_HOME` or `~/.local/state`. */
  readonly stateDir: string;
  /** The bundle cache, below `$XDG_CACHE_HOME` or `~/.cache`. */
  readonly cacheDir: string;
  /** Docker's `config.json`, where registry credentials may be. */
  readonly dockerConfigPath: string;
  /** Podman's files, the one that is asked first in front; empty where it has no place for one. */
  readonly podmanAuthPaths: readonly string[];
}

/** The paths, absolute; nothing is created or looked at. */
export function resolveStatePaths(env: Environment, cwd: string): StatePaths {
  const state = env["MCP_GATEWAY_STATE"];
  const docker = env["DOCKER_CONFIG"];
  const named = state !== undefined && state !== "";
  return {
    stateDir: named
      ? resolve(cwd, state)
      : join(xdgFolder(env, "XDG_STATE_HOME", [".local", "state"]), "mcp-gateway"),
    cacheDir: join(xdgFolder(env, "XDG_CACHE_HOME", [".cache"]), "mcp-gateway"),
    dockerConfigPath:
      docker !== undefined && docker !== ""
        ? resolve(cwd, docker, "config.json")
        : join(homeFolder(env), ".docker", "config.json"),
    podmanAuthPaths: podmanAuthPaths(env, cwd),
  };
}

/** A file that is named is the only one, as Podman has it. */
function podmanAuthPaths(env: Environment, cwd: string): readonly string[] {
  const named = env["REGISTRY_AUTH_FILE"];
  if (named !== undefined && named !== "") return [resolve(cwd, named)];
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime === undefined || !isAbsolute(runtime)) return [];
  return [join(runtime, "containers", "auth.json")];
}

/**
 * Makes a private folder where it is missing (mode 0700) and refuses one that is not private.
 *
 * @throws ConfigError `state_dir_insecure`, `state_dir_unusable`.
 */
export function ensurePrivateDir(
  path: string,
  platform: NodeJS.Platform = process.platform,
): string {
  const stat = makeAndStat(path);
  if (!stat.isDirectory()) throw unusable(path, "it is not a folder");
  if (platform === "win32") return path;
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid) {
    throw insecure(path, `it belongs to user ${stat.uid}, not to ${uid}`, "name another folder");
  }
  if ((stat.mode & 0o022) !== 0) {
    throw insecure(path, "its group or every user can write to it", `run chmod go-w ${path}`);
  }
  return path;
}

function makeAndStat(path: string): Stats {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return statSync(path);
  } catch (cause) {
    throw unusable(path, codeOf(cause) ?? messageOf(cause), cause);
  }
}

function unusable(path: string, reason: string, cause?: unknown): ConfigError {
  const message = `cannot use ${path} as a folder of the gateway: ${reason}; set MCP_GATEWAY_STATE to another`;
  return new ConfigError("state_dir_unusable", message, { cause });
}

function insecure(path: string, reason: string, remedy: string): ConfigError {
  const message = `expected ${path} to be writable by its owner alone, but ${reason}; ${remedy}`;
  return new ConfigError("state_dir_insecure", message);
}
