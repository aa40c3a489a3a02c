/**
 * Prunes an embedded record as `decisions.retention` says, in a process of its own: the index is opened
 * there and not in the gateway, which stays small. It runs what a person would run,
 * `mcp-gateway db prune`, which records that.
 */
import type { PruneApart } from "../../decision/retention/keep-retention.ts";
import type { RunApartOptions } from "./run-apart.ts";
import { runApart } from "./run-apart.ts";

export interface PruneApartSetting extends Pick<RunApartOptions, "env"> {
  readonly configPath: string;
}

const timeLimitMs = 60 * 60_000;

/** Rejects with the last line that the command said. */
export function createPruneApart({ configPath, env }: PruneApartSetting): PruneApart {
  return async (signal) => {
    await runApart(["db", "prune", "-c", configPath], { env, signal, timeLimitMs });
  };
}
