import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, describe, test } from "vitest";
import { systemClock } from "../../../../src/config/ambient.ts";
import { connectUpstream } from "../../../../src/mcp/upstream/connect-upstream.ts";
import { SupervisedServer } from "../../../../src/mcp/upstream/supervise/supervised-server.ts";
import { createWatchdog } from "../../../../src/mcp/upstream/watchdog.ts";
import { eventually, isAlive } from "../../../support/eventually.ts";
import { createTestLog } from "../../../support/log.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const fixture = fileURLToPath(new URL("../../../fixtures/fixture-server.js", import.meta.url));
const watchdog = createWatchdog(process.platform);
const servers: SupervisedServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A supervised child process; the first argument of the fixture is its mode. */
function supervise(mode = "ok", idleTimeoutMs = 0) {
  const log = createTestLog();
  const pidFile = join(temporaryFolder(), "pid");
  const lost: string[] = [];
  const server = new SupervisedServer({
    id: "fixture",
    maxConcurrent: 4,
    idleTimeoutMs,
    startTimeoutMs: 20_000,
    clock: systemClock,
    log,
    random: () => 0,
    onConnected: () => {},
    onLost: (_key, reason) => lost.push(reason),
    connect: (_key, capabilities, events, signal) =>
      connectUpstream(
        {
          id: "fixture",
          transport: {
            kind: "stdio",
            command: process.execPath,
            args: [fixture, mode],
            env: {},
            cwd: tmpdir(),
          },
          protocol: "legacy",
          env: { PATH: process.env["PATH"] ?? "", FIXTURE_PID_FILE: pidFile },
          startTimeoutMs: 20_000,
          capabilities,
        },
        { watchdog, log, events, signal },
      ),
  });
  servers.push(server);
  const call = (tool: string, timeoutMs = 10_000) =>
    server.request(
      "a",
      {},
      {
        method: "tools/call",
        params: { name: JSON.stringify(tool), arguments: "{}" },
        timeoutMs,
      },
    );
  return { server, call, lost, pid: () => Number(readFileSync(pidFile, "utf8")) };
}

describe("a supervised child process", () => {
  test("that dies in a call fails that call alone, and the next one starts it anew", async () => {
    const { server, call, lost, pid } = supervise();
    expect(await call("echo")).toMatchObject({ kind: "result" });
    const first = pid();
    expect(await call("die")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    await eventually(() => lost.length > 0);
    expect(lost).toEqual(["exited with code 9"]);
    expect(await call("echo")).toMatchObject({ kind: "result" });
    expect(pid()).not.toBe(first);
    expect(server.status()).toMatchObject({ state: "up", restarts: 1, connections: 1 });
  });

  test("that does not start is not started over and over", async () => {
    const { server, call } = supervise("exit");
    for (let index = 0; index < 5; index += 1) {
      expect(await call("echo")).toMatchObject({ code: "upstream_unavailable" });
    }
    expect(server.status()).toMatchObject({ state: "open_circuit", connections: 0 });
    expect(await call("echo")).toMatchObject({
      message: "it failed too often (upstream_start_failed); it is tried again in 30 s",
    });
  });

  test("is gone when it has been idle, and back for the next request", async () => {
    const { server, call, pid } = supervise("ok", 50);
    await call("echo");
    const first = pid();
    await eventually(() => !isAlive(first));
    expect(server.status().connections).toBe(0);
    expect(await call("echo")).toMatchObject({ kind: "result" });
  });

  test("is gone when its keeper is closed, though it ignores the end of its input", async () => {
    const { server, call, pid } = supervise("ignore-end");
    await call("echo");
    expect(isAlive(pid())).toBe(true);
    await server.close();
    expect(isAlive(pid())).toBe(false);
  });
});
