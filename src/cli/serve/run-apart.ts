/**
 * Runs a command of this program in a process of its own of the lowest priority, so that no call waits
 * for it, and what it opens is opened there and not in the gateway.
 */
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../contract/package-root.ts";

export interface RunApartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
}

const maxCharacters = 64 * 1024 * 1024;
const toldCharacters = 2000;

/** Resolves to what it printed; rejects with the last line that it said where it failed. */
export async function runApart(
  words: readonly [command: string, ...rest: string[]],
  { env, signal, timeLimitMs }: RunApartOptions,
): Promise<string> {
  const bin = join(packageRoot(), "dist", "bin", "main.js");
  const child = spawn(process.execPath, [bin, ...words], {
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]),
    killSignal: "SIGKILL",
  });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let out = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (out.length > maxCharacters) child.kill("SIGKILL");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-toldCharacters);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return out;
  const last = said.trim().split("\n").at(-1) ?? "";
  throw new Error(last === "" ? `${words[0]} ended with ${code ?? "a signal"}` : last);
}
