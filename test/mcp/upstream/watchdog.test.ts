import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { eventually, isAlive } from "../../support/eventually.ts";

const fixture = fileURLToPath(new URL("../../fixtures/fixture-server.js", import.meta.url));
const dist = new URL("../../../dist/mcp/upstream/", import.meta.url).href;

test("a child that ignores the end of its input and SIGTERM ends when the gateway is killed", async () => {
  const folder = temporaryFolder();
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
  await eventually(() => {
    pid = Number(safeRead(pidFile));
    return pid > 0;
  });
  expect(isAlive(pid)).toBe(true);
  gateway.kill("SIGKILL");
  await eventually(() => !isAlive(pid), 5000);
});

function safeRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
