/**
 * The package's own bin as its users start it, with a state folder of its own.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { giveEmbeddedDatabase } from "./embedded-database.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const bin = join(root, "dist", "bin", "main.js");
export const demoConfig = join(root, "mcp-gateway.config.json");

export interface Command {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** Environment with fresh folders for state and cache. */
export function freshEnvironment(
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const folder = temporaryFolder();
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    MCP_GATEWAY_STATE: join(folder, "state"),
    XDG_CACHE_HOME: join(folder, "cache"),
    MCP_GATEWAY_LOG: "warn",
    ...more,
  };
}

/** How a client would start `serve --stdio`. */
export function serveCommand(config = demoConfig, env = freshEnvironment()): Command {
  return { command: process.execPath, args: [bin, "serve", "--stdio", "--config", config], env };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the bin to its end; those that read decisions find their database made. */
export async function runBin(
  args: readonly string[],
  env: Record<string, string>,
  input = "",
): Promise<Finished> {
  const stateDir = env["MCP_GATEWAY_STATE"];
  if (args[0] === "decision" && stateDir !== undefined) await giveEmbeddedDatabase(stateDir);
  return await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { env, cwd: root });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
    child.stdin.end(input);
  });
}
