/**
 * Prunes an embedded record as `decisions.retention` says, in a process of its own of the lowest
 * priority: the index is opened there and not in the gateway, which stays small. It runs what a person
 * would run, `mcp-gateway db prune`, which records that.
 */
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../contract/package-root.ts";
import type { PruneApart } from "../../decision/retention/keep-retention.ts";

export interface PruneApartSetting {
  readonly configPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const timeLimitMs = 60 * 60_000;

/** Rejects with the last line that the command said. */
export function createPruneApart({ configPath, env }: PruneApartSetting): PruneApart {
  return async (signal) => {
    const bin = join(packageRoot(), "dist", "bin", "main.js");
    const child = spawn(process.execPath, [bin, "db", "prune", "-c", configPath], {
      env: { ...env },
      stdio: ["ignore", "ignore", "pipe"],
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]),
    });
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-2000);
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code === 0) return;
    const last = said.trim().split("\n").at(-1) ?? "";
    throw new Error(last === "" ? `db prune ended with ${code ?? "a signal"}` : last);
  };
}
