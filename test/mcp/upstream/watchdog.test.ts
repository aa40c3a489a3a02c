import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const fixture = fileURLToPath(new URL("../../fixtures/fixture-server.js", import.meta.url));
const dist = new URL("../../../dist/mcp/upstream/", import.meta.url).href;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition() && performance.now() < deadline) await delay(25);
}

test("a child that ignores the end of its input and SIGTERM ends when the gateway is killed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "watchdog-"));
  const pidFile = join(folder, "pid");
  const parent = join(folder, "parent.mjs");
  writeFileSync(
    parent,
    `import { startServerProcess } from "${dist}server-process.js";
     import { createWatchdog } from "${dist}watchdog.js";
     const quiet = { error() {}, warn() {}, info() {}, debug() {}, child() { return quiet; } };
     const env = { PATH: process.env.PATH, FIXTURE_PID_FILE: ${JSON.stringify(pidFile)} };
     const command = { command: process.execPath, args: [${JSON.stringify(fixture)}, "ignore-end"], env, cwd: "/" };
     startServerProcess(command, { watchdog: createWatchdog(process.platform), log: quiet });
     setInterval(() => {}, 1000);`,
  );
  const gateway = spawn(process.execPath, [parent], { stdio: "ignore" });
  let pid = 0;
  await waitUntil(() => {
    pid = Number(safeRead(pidFile));
    return pid > 0;
  }, 5000);
  expect(isAlive(pid)).toBe(true);
  gateway.kill("SIGKILL");
  await waitUntil(() => !isAlive(pid), 5000);
  expect(isAlive(pid)).toBe(false);
});

function safeRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
