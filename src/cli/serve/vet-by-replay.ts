/**
 * Vets a bundle by replaying it over what was recorded, in a process of its own: no call waits
 * for it, and the store is opened there and not in the gateway. It runs what a person would run,
 * `mcp-gateway replay`, and reads its report.
 */
import { readdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { VetBundle, Vetting } from "../../bundle/life/vet-candidate.ts";
import { systemClock } from "../../config/ambient.ts";
import type { SourceCadence } from "../../config/config.ts";
import { messageOf } from "../../errors.ts";
import { runApart } from "./run-apart.ts";

export interface VetSetting {
  /** Server or layer in whose place it would be. */
  readonly layer: string;
  readonly configPath: string;
  /** Where the archive lies meanwhile; nobody else's. */
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cadence: Pick<SourceCadence, "replaySinceMs" | "replayLimit">;
}

const count = z.int();
const reportSchema = z.object({
  decisions: count,
  replayed: count,
  buckets: z.object({ newly_allowed: count, no_longer_held: count, obligations_only: count }),
  groups: z.array(
    z.object({
      bucket: z.string(),
      server: z.nullable(z.string()),
      tool: z.nullable(z.string()),
      reason: z.nullable(z.string()),
      count,
      sample: z.string(),
    }),
  ),
});

type Report = z.output<typeof reportSchema>;

const timeLimitMs = 15 * 60_000;
/** Of a history of which less can be replayed nobody can say what it would newly allow. */
const leastShare = 0.9;

/** Replays bundles of one source. */
export function createVet(setting: VetSetting): VetBundle {
  return async ({ archive, digest }, signal) => {
    const name = `vetted-${process.pid}-${digest.replaceAll(/[^0-9a-f]/g, "").slice(-16)}.tar.gz`;
    const file = join(setting.stateDir, name);
    try {
      await removeLeft(setting.stateDir);
      await writeFile(file, archive, { mode: 0o600 });
      const text = await replay(setting, file, signal);
      return judge(setting.layer, reportSchema.parse(JSON.parse(text)));
    } catch (thrown) {
      const message = `recorded decisions could not be replayed: ${messageOf(thrown)}`;
      return { ok: false, code: "history_unreadable", message };
    } finally {
      await unlink(file).catch(() => undefined);
    }
  };
}

/**
 * A gateway that is killed leaves its archive. Its age says that nobody reads it, and no process id
 * does: several containers may share the folder.
 */
async function removeLeft(stateDir: string): Promise<void> {
  const beforeMs = systemClock.nowMs() - 2 * timeLimitMs;
  for (const name of await readdir(stateDir)) {
    if (!/^vetted-\d+-[0-9a-f]+\.tar\.gz$/.test(name)) continue;
    const path = join(stateDir, name);
    // Another gateway of this folder may be doing the same.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < beforeMs) await unlink(path).catch(() => undefined);
  }
}

/** What a report says of a bundle. */
export function judge(layer: string, report: Report): Vetting {
  const { decisions, replayed, buckets } = report;
  if (decisions === 0) {
    const message = `no decision of "${layer}" is recorded that could be replayed; see docs/replay-a-change.md`;
    return { ok: false, code: "history_not_replayed", message };
  }
  const opened = buckets.newly_allowed + buckets.no_longer_held + buckets.obligations_only;
  if (opened > 0 || report.groups.some(isShown)) {
    const message = `of ${replayed} recorded decisions ${describe(report)}`;
    return { ok: false, code: "newly_allows", message };
  }
  if (replayed / decisions < leastShare) {
    const message = `of ${decisions} recorded decisions only ${replayed} can be replayed: ${reasonsOf(report)}`;
    return { ok: false, code: "history_not_replayed", message };
  }
  return { ok: true, message: `newly allows none of ${replayed} recorded decisions` };
}

/** What was hidden and would not be: nobody can say that it would be refused. */
function isShown({ bucket, reason }: Report["groups"][number]): boolean {
  return bucket === "not_replayable" && reason === "was_hidden";
}

const opening: Readonly<Record<string, string>> = {
  newly_allowed: "newly allows",
  no_longer_held: "no longer holds",
  obligations_only: "does otherwise with the result of",
};
const maxShown = 3;

function describe({ groups }: Report): string {
  const found = groups.filter((group) => opening[group.bucket] !== undefined || isShown(group));
  const shown = found.slice(0, maxShown).map(({ bucket, server, tool, ...group }) => {
    const { count: times, sample } = group;
    return `it ${opening[bucket] ?? "no longer hides"} ${times} of ${server ?? "-"}/${tool ?? "-"} (such as ${sample})`;
  });
  const more = found.length > maxShown ? `; ${found.length - maxShown} more groups` : "";
  return `${shown.join(", ")}${more}`;
}

function reasonsOf({ groups }: Report): string {
  const found = groups.filter(({ bucket }) => bucket === "not_replayable");
  return found
    .slice(0, maxShown)
    .map(({ reason, count: times }) => `${times} ${reason ?? "-"}`)
    .join(", ");
}

/** The report's text. */
async function replay(
  { layer, configPath, env, cadence }: VetSetting,
  file: string,
  signal: AbortSignal,
): Promise<string> {
  const since = `${Math.ceil(cadence.replaySinceMs / 1000)}s`;
  const options = ["--since", since, "--limit", String(cadence.replayLimit), "-o", "json"];
  const words = ["replay", file, "-c", configPath, "--layer", layer, ...options] as const;
  return await runApart(words, { env, signal, timeLimitMs });
}
