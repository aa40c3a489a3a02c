import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, readdir, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import { identifyProcess, livenessOf } from "../../src/database/process-identity.ts";
import { acquireProcessLock, foreignHolderTimeoutMs } from "../../src/database/process-lock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const atOnce = { clock: systemClock, waitMs: 0 };
const linux = process.platform === "linux";

/** A pid that no process has: of one that ended and was reaped. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid ?? 0;
}

async function plantHolder(folder: string, changes: object): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "planted.holder");
  await writeFile(path, JSON.stringify({ ...(await identifyProcess()), ...changes }));
  return path;
}

describe("a process lock", () => {
  test("is held by one at a time and says by whom", async () => {
    const folder = join(temporaryFolder(), "lock");
    const first = await acquireProcessLock(folder, atOnce);
    expect(first.ok).toBe(true);
    const second = await acquireProcessLock(folder, atOnce);
    expect(second).toMatchObject({ ok: false, holder: { pid: process.pid, host: hostname() } });
    if (first.ok) await first.lock.release();
    expect(await acquireProcessLock(folder, atOnce)).toMatchObject({ ok: true });
  });

  test("is waited for", async () => {
    const folder = join(temporaryFolder(), "lock");
    const first = await acquireProcessLock(folder, atOnce);
    setTimeout(() => void (first.ok && first.lock.release()), 200);
    const second = await acquireProcessLock(folder, { clock: systemClock, waitMs: 5_000 });
    expect(second.ok).toBe(true);
  });

  test("never has two holders among many contenders", async () => {
    const folder = join(temporaryFolder(), "lock");
    let holders = 0;
    let most = 0;
    const contend = async (): Promise<void> => {
      const attempt = await acquireProcessLock(folder, { clock: systemClock, waitMs: 20_000 });
      if (!attempt.ok) throw new Error("not acquired");
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setTimeout(resolve, 5));
      holders -= 1;
      await attempt.lock.release();
    };
    await Promise.all(Array.from({ length: 12 }, contend));
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  }, 60_000);

  test("of a process that is dead is taken over", async () => {
    const folder = join(temporaryFolder(), "lock");
    await plantHolder(folder, { pid: await deadPid(), startTime: linux ? "1" : null });
    expect(await acquireProcessLock(folder, atOnce)).toMatchObject({ ok: true });
  });

  test.runIf(linux)("of a process whose pid was given to another one is taken over", async () => {
    const folder = join(temporaryFolder(), "lock");
    await plantHolder(folder, { startTime: "1" });
    expect(await acquireProcessLock(folder, atOnce)).toMatchObject({ ok: true });
  });

  test("whose holder's file is unreadable is taken over", async () => {
    const folder = join(temporaryFolder(), "lock");
    await mkdir(folder);
    await writeFile(join(folder, "broken.holder"), "{");
    expect(await acquireProcessLock(folder, atOnce)).toMatchObject({ ok: true });
  });

  test.runIf(linux)("of another container is respected while its heartbeat is fresh", async () => {
    const folder = join(temporaryFolder(), "lock");
    const path = await plantHolder(folder, { namespace: "pid:[1]", startTime: "1" });
    expect(await acquireProcessLock(folder, atOnce)).toMatchObject({ ok: false });
    const stale = (Date.now() - foreignHolderTimeoutMs - 1_000) / 1_000;
    await utimes(path, stale, stale);
    expect(await acquireProcessLock(folder, atOnce)).toMatchObject({ ok: true });
  });
});

describe("the identity of a process", () => {
  test("says that this one lives", async () => {
    expect(await livenessOf(await identifyProcess())).toBe("alive");
  });

  test.runIf(linux)("says that one of an earlier run of this machine is dead", async () => {
    expect(await livenessOf({ ...(await identifyProcess()), bootId: "earlier" })).toBe("dead");
  });

  test.runIf(linux)("says that one of another machine is foreign", async () => {
    const other = { ...(await identifyProcess()), bootId: "other", host: "elsewhere.example" };
    expect(await livenessOf(other)).toBe("foreign");
    const source = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    expect((await identifyProcess()).bootId).toBe(source.trim());
  });
});
