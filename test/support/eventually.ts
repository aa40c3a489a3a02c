/**
 * Waiting for what happens elsewhere: in another process, behind a socket, on a disk.
 */
import { setTimeout as delay } from "node:timers/promises";

/** Waits until `check` holds; throws where it does not in time. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms`);
    await delay(25);
  }
}

/** True while a process with this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
