/**
 * A lock for the one file of a layout that is read, changed and written back. It is a file made
 * with `O_EXCL`; one whose owner died is recognised by not changing hands for a while, since
 * whoever holds it does so for milliseconds.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "../../errors.ts";
import type { FileModes } from "./layout-file.ts";
import { storageFailed } from "./layout-file.ts";

const pauseMs = 20;
const abandonedAfterPauses = 100;
const givenUpAfterPauses = 500;

/**
 * Runs while holding the lock at `path`.
 *
 * @throws BundleError `bundle_storage_failed` where the lock cannot be had within ten seconds
 */
export async function withLayoutLock<Value>(
  path: string,
  modes: FileModes,
  run: () => Promise<Value>,
): Promise<Value> {
  await acquire(path, modes);
  try {
    return await run();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, modes: FileModes): Promise<void> {
  let holder: string | undefined;
  let unchanged = 0;
  for (let pauses = 0; pauses < givenUpAfterPauses; pauses += 1) {
    if (await tryAcquire(path, modes)) return;
    const seen = await holderOf(path);
    unchanged = seen !== undefined && seen === holder ? unchanged + 1 : 0;
    holder = seen;
    if (unchanged >= abandonedAfterPauses) await removeAbandoned(path);
    await sleep(pauseMs);
  }
  throw storageFailed("lock", path, "others keep holding it; try again");
}

async function tryAcquire(path: string, modes: FileModes): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: modes.folder });
    const file = await open(path, "wx", modes.file);
    await file.close();
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return false;
    throw storageFailed("lock", path, thrown);
  }
}

/** Tells one holder from the next; a holder never touches its lock again. */
async function holderOf(path: string): Promise<string | undefined> {
  try {
    const status = await stat(path);
    return `${status.ino} ${status.mtimeMs}`;
  } catch {
    return undefined;
  }
}

/** Renames first: of several that noticed, one gets the file. */
async function removeAbandoned(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
    await rm(aside, { force: true });
  } catch (thrown) {
    if (codeOf(thrown) !== "ENOENT") throw storageFailed("lock", path, thrown);
  }
}
