/**
 * Whether the programs of a configuration can be started from here: a command that is not on the
 * `PATH` that the server would get, or a folder that is not there. Warnings only, since the gateway
 * may be meant to run as another user or on another machine.
 */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import type { ServerConfig, StdioTransport } from "../../config/config.ts";
import type { ConfigProblem } from "../../config/config-error.ts";
import type { LoadedConfig } from "../../config/load-config.ts";
import { childEnvironment } from "../../mcp/upstream/child-environment.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** One warning for each server that would not start. */
export function checkCommands(
  { config, problemAt }: LoadedConfig,
  own: Environment,
): readonly ConfigProblem[] {
  return [...config.servers.values()].flatMap(({ id, transport, disabled }: ServerConfig) => {
    if (disabled || transport.kind !== "stdio") return [];
    if (!isFolder(transport.cwd)) {
      const message = `servers.${id}: expected a folder to start its program in, found none at ${transport.cwd}`;
      return [problemAt(["servers", id, "cwd"], message)];
    }
    if (isStartable(transport, own)) return [];
    const where = hasFolder(transport.command) ? "at this path" : "on PATH";
    const message = `servers.${id}.command: found no program "${transport.command}" ${where}; the server would not start`;
    return [problemAt(["servers", id, "command"], message)];
  });
}

function isStartable({ command, cwd, env }: StdioTransport, own: Environment): boolean {
  if (hasFolder(command)) return endings(own).some((end) => isProgram(resolve(cwd, command + end)));
  const path = childEnvironment(own, env)["PATH"];
  // Without a PATH the system has one of its own.
  if (path === undefined) return true;
  const folders = path.split(delimiter).map((folder) => resolve(cwd, folder));
  return folders.some((folder) =>
    endings(own).some((end) => isProgram(resolve(folder, command + end))),
  );
}

function hasFolder(command: string): boolean {
  return /[/\\]/.test(command);
}

/** Windows finds `npx` as `npx.cmd` or the like. */
function endings(own: Environment): readonly string[] {
  const listed = own["PATHEXT"];
  return listed === undefined ? [""] : ["", ...listed.split(";")];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
