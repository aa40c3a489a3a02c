/**
 * A lock between processes that survives `kill -9`: nobody has to clean up after a dead holder.
 * Each contender puts one file of a unique name into the lock's folder and then looks who else is
 * there. Because no name is ever used twice, removing a dead holder's file can never remove a
 * living one's, and because everybody publishes before looking, two can both give way but never
 * both hold. A holder in another container is judged by a heartbeat, the file's modification time.
 */
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import type { Clock } from "../contract/ambient.ts";
import { identifyProcess, livenessOf, parseIdentity } from "./process-identity.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** A holder of another container is dead once its heartbeat is this old. */
export const foreignHolderTimeoutMs = 10 * 60_000;
const heartbeatMs = 15_000;

export interface ProcessLock {
  readonly release: () => Promise<void>;
}

export type LockAttempt =
  | { readonly ok: true; readonly lock: ProcessLock }
  | { readonly ok: false; readonly holder: ProcessIdentity };

/** Takes the lock, waiting up to `waitMs` for a living holder to let go. */
export async function acquireProcessLock(
  folder: string,
  options: { readonly clock: Clock; readonly waitMs: number },
): Promise<LockAttempt> {
  const deadlineMs = options.clock.monotonicMs() + options.waitMs;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    const attempt = await tryAcquire(folder, options.clock);
    if (attempt.ok || options.clock.monotonicMs() >= deadlineMs) return attempt;
    await sleep(20 + Math.random() * 60);
  }
}

async function tryAcquire(folder: string, clock: Clock): Promise<LockAttempt> {
  const before = await livingHolder(folder, "", clock);
  if (before !== undefined) return { ok: false, holder: before };
  const name = `${randomUUID()}.holder`;
  await writeHolder(folder, name);
  const own = keepHolder(join(folder, name), clock);
  const other = await livingHolder(folder, name, clock);
  if (other === undefined) return { ok: true, lock: own };
  await own.release();
  return { ok: false, holder: other };
}

/** Writes this process's identity to `folder/name`, complete from the moment it is visible. */
export async function writeHolder(folder: string, name: string): Promise<void> {
  const draft = join(folder, `.${randomUUID()}.draft`);
  await writeFile(draft, JSON.stringify(await identifyProcess()), { mode: 0o600, flag: "wx" });
  await rename(draft, join(folder, name));
}

/** Keeps the heartbeat of a holder file until it is released, which removes the file. */
export function keepHolder(path: string, clock: Clock): ProcessLock {
  const heartbeat = setInterval(() => void beat(path, clock), heartbeatMs);
  heartbeat.unref();
  return {
    release: async () => {
      clearInterval(heartbeat);
      await rm(path, { force: true });
    },
  };
}

/** The process that wrote `path`, while it lives; `undefined` once it is dead or gone. */
export async function readLivingHolder(
  path: string,
  clock: Clock,
): Promise<ProcessIdentity | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  const identity = text === undefined ? undefined : parseIdentity(text);
  if (identity === undefined) return undefined;
  switch (await livenessOf(identity)) {
    case "alive":
      return identity;
    case "dead":
      return undefined;
    case "foreign":
      return (await ageMs(path, clock)) < foreignHolderTimeoutMs ? identity : undefined;
  }
}

async function livingHolder(
  folder: string,
  except: string,
  clock: Clock,
): Promise<ProcessIdentity | undefined> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".holder") || name === except) continue;
    const path = join(folder, name);
    const holder = await readLivingHolder(path, clock);
    if (holder !== undefined) return holder;
    await rm(path, { force: true });
  }
  return undefined;
}

async function beat(path: string, clock: Clock): Promise<void> {
  const now = clock.nowMs() / 1000;
  await utimes(path, now, now).catch(() => undefined);
}

async function ageMs(path: string, clock: Clock): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() - found.mtimeMs;
}
