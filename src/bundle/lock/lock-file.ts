/**
 * The lock on disk, next to the configuration. It is replaced whole, so that a reader and a crash see
 * the old one or the new one, and by one command at a time. `serve` only reads it.
 */
import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { readTrustedFile } from "../../config/read-trusted-file.ts";
import { sha256Of } from "../../contract/sha256.ts";
import { acquireProcessLock } from "../../database/process-lock.ts";
import { writeStateFile } from "../../database/state-file.ts";
import { messageOf } from "../../errors.ts";
import { BundleError } from "../bundle-error.ts";
import type { HistoryPlace } from "../life/bundle-history.ts";
import type { GatewayLock } from "./lock-document.ts";
import { emptyLock, formatLock, parseLock } from "./lock-document.ts";

const maxLockBytes = 16 * 1024 * 1024;
const lockWaitMs = 5000;
/** It is made to be committed, and holds no secret. */
const newMode = 0o644;

/**
 * Reads a lock; `undefined` where there is none.
 *
 * @throws BundleError `bundle_lock_invalid`: a lock is never passed over
 */
export function readLock(
  path: string,
  platform: NodeJS.Platform = process.platform,
): GatewayLock | undefined {
  const read = readTrustedFile(path, { maxBytes: maxLockBytes, checkModes: platform !== "win32" });
  if (read.ok) return parseLock(path, read.text);
  if (read.reason === "missing") return undefined;
  throw new BundleError("bundle_lock_invalid", read.message, { cause: read.cause });
}

/**
 * Changes a lock, alone; writes nothing where nothing changes.
 *
 * @param place - state folder; who writes the lock is kept track of there, not beside what is committed
 * @throws BundleError `bundle_lock_invalid`, `bundle_lock_unwritable`
 */
export async function changeLock(
  place: HistoryPlace,
  path: string,
  change: (before: GatewayLock) => Promise<GatewayLock> | GatewayLock,
): Promise<{ readonly before: GatewayLock | undefined; readonly after: GatewayLock }> {
  const [, hex = ""] = sha256Of(path).split(":");
  const folder = join(place.stateDir, "locks", `lock-${hex.slice(0, 16)}.lock`);
  const attempt = await acquireProcessLock(folder, { clock: place.clock, waitMs: lockWaitMs });
  if (!attempt.ok) {
    throw unwritable(path, `process ${attempt.holder.pid} is changing it`);
  }
  try {
    const before = readLock(path);
    const after = await change(before ?? emptyLock);
    const text = formatLock(after);
    if (before === undefined || formatLock(before) !== text) await writeLock(path, text);
    return { before, after };
  } finally {
    await attempt.lock.release();
  }
}

/** The new file is as open as the old one was. */
async function writeLock(path: string, text: string): Promise<void> {
  try {
    const mode = await stat(path).then(
      (found) => found.mode & 0o777,
      () => newMode,
    );
    await writeStateFile(path, text);
    await chmod(path, mode);
  } catch (thrown) {
    throw unwritable(path, messageOf(thrown), thrown);
  }
}

function unwritable(path: string, reason: string, cause?: unknown): BundleError {
  return new BundleError(
    "bundle_lock_unwritable",
    `expected to write ${path}, but ${reason}; nothing was changed`,
    { cause },
  );
}
