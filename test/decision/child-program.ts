/**
 * Runs a TypeScript file of the tests in a process of its own, on Node versions that cannot read
 * TypeScript.
 */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Bundles the file; the result is removed after the test. */
export async function bundleProgram(path: string): Promise<string> {
  const folder = temporaryFolder();
  const outfile = join(folder, "program.mjs");
  await build({
    entryPoints: [path],
    outfile,
    external: ["pg", "@electric-sql/pglite"],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  return outfile;
}

/** Starts it; killed after the test where it still runs. */
export function startProgram(
  program: string,
  ...parameters: readonly string[]
): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, [program, ...parameters], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}
