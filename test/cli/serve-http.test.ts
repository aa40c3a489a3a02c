/**
 * `serve --http` as its users start it: where it says that it listens, and how it ends where it
 * cannot.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { bin, freshEnvironment, runBin } from "../support/gateway-process.ts";

const timeoutMs = 60_000;

test(
  "says on one line of stderr where it listens, whatever its public URL is",
  async () => {
    const http = { public_url: "https://mcp.example.com/gateway" };
    const config = writeFixtureConfig({}, { http });
    const args = [bin, "serve", "--http", "127.0.0.1:0", "--config", config];
    const child = spawn(process.execPath, args, { env: freshEnvironment() });
    const ended = new Promise((resolve) => child.once("close", resolve));
    onTestFinished(async () => {
      child.kill("SIGTERM");
      await ended;
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    await eventually(() => stderr.includes("listening on"), timeoutMs);
    const [, origin] = /^listening on (http:\/\/127\.0\.0\.1:[1-9]\d*)$/m.exec(stderr) ?? [];
    expect((await fetch(`${origin}/livez`)).status).toBe(200);
  },
  timeoutMs,
);

test(
  "ends with what to do where the port is taken, and leaves nothing running",
  async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : 0;
    const config = writeFixtureConfig({ ok: {} });
    const args = ["serve", "--http", `127.0.0.1:${port}`, "--config", config];
    const { code, stderr } = await runBin(args, freshEnvironment());
    expect(code).toBe(1);
    expect(stderr).toContain("EADDRINUSE");
    expect(stderr).toContain("choose another port with --http HOST:PORT");
    expect(stderr).toContain("[http_listen_failed]");
  },
  timeoutMs,
);
