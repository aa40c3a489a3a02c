/**
 * The spool's folders: `spool/embedded/<writer id>/` and `spool/postgres/<writer id>/`, one for each
 * process that ever wrote. The kinds lie apart because an embedded spool is kept and the other one is
 * removed once it is shipped: two configurations may share a state folder. A writer's folder appears
 * with its holder file already inside, so nobody can see a writer of which it is unknown whether it
 * lives. A writer id is never used twice and nobody appends to another writer's segments.
 */
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../contract/ambient.ts";
import { keepHolder, readLivingHolder, writeHolder } from "../../database/process-lock.ts";
import type { ProcessLock } from "../../database/process-lock.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { DecisionError } from "../decision-error.ts";
import type { SpoolFileSystem } from "./file-system.ts";
import { segmentNumber } from "./segment.ts";

const holderName = "writer.holder";

/** Where the writers of one kind of store have their folders. */
export function spoolFolder(stateDir: string, store: "embedded" | "postgres"): string {
  return join(stateDir, "spool", store);
}

/** Creates the folder of a new writer, durable and held by this process. */
export async function createWriterFolder(
  files: SpoolFileSystem,
  spool: string,
  writer: string,
  clock: Clock,
): Promise<ProcessLock> {
  const draft = join(spool, `.${writer}`);
  try {
    await files.createFolder(draft);
    await writeHolder(draft, holderName);
    await rename(draft, join(spool, writer));
    await files.syncFolder(spool);
  } catch (thrown) {
    throw new DecisionError("spool_unusable", unusable(spool, messageOf(thrown)), {
      cause: thrown,
    });
  }
  return keepHolder(join(spool, writer, holderName), clock);
}

function unusable(spool: string, reason: string): string {
  return `expected to create a decision spool in ${spool}, found: ${reason}; make the state folder writable or set MCP_GATEWAY_STATE`;
}

/** Ids of all writers, oldest first. */
export async function listWriters(spool: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(spool, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map((entry) => entry.name)
      .toSorted();
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

/** Numbers of the writer's segments, in order; none once its folder is gone. */
export async function listSegments(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .map(segmentNumber)
    .filter((number) => number !== undefined)
    .toSorted((left, right) => left - right);
}

/** Whether the process that made this folder still runs. */
export async function isWriterAlive(folder: string, clock: Clock): Promise<boolean> {
  return (await readLivingHolder(join(folder, holderName), clock)) !== undefined;
}

/** Removes the folder of a writer whose records are all somewhere else. */
export async function removeWriterFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
