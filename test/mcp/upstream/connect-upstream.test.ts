import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { connectUpstream } from "../../../src/mcp/upstream/connect-upstream.ts";
import { listAll } from "../../../src/mcp/upstream/list-all.ts";
import { createTestLog } from "../../support/log.ts";
import { patience, startUpstream, textOf, watchdog } from "./start-upstream.ts";

async function start(
  mode = "ok",
  settings: { readonly callTimeoutMs?: number; readonly env?: Record<string, string> } = {},
) {
  const started = await startUpstream({
    fixture: "fixture-server.js",
    mode,
    protocol: "legacy",
    ...(settings.env === undefined ? {} : { env: settings.env }),
  });
  const { upstream } = started;
  const call = (
    tool: string,
    options: { args?: string; signal?: AbortSignal; onProgress?: (progress: object) => void } = {},
  ) =>
    upstream.request({
      method: "tools/call",
      params: { name: JSON.stringify(tool), arguments: options.args ?? "{}" },
      timeoutMs: settings.callTimeoutMs ?? 5000,
      onProgress: options.onProgress,
      signal: options.signal,
    });
  const listTools = () =>
    listAll(upstream, "tools", { id: "fixture", timeoutMs: 20_000 }, patience);
  return { ...started, call, listTools };
}

describe("a legacy upstream on stdio", () => {
  test("lists the tools of every page as they were sent", async () => {
    const { listTools } = await start();
    const tools = await listTools();
    expect(tools).toHaveLength(16);
    expect(tools[0]).toMatchObject({ name: "echo", vendorMember: { kept: true } });
  });

  test("receives the arguments byte for byte as they were judged", async () => {
    const { call, lines } = await start();
    const args = '{"b":1,"10":2,"a":"\u{e0041}<>"}';
    await call("echo", { args });
    expect(lines().at(-1)).toContain(`"arguments":${args}}`);
  });

  test("gets progress under the request's own id, and only where it was asked for", async () => {
    const { call } = await start();
    const steps: object[] = [];
    await call("progress", { onProgress: (step) => steps.push(step) });
    expect(steps).toEqual([
      { progress: 1, total: 2, message: "step 1" },
      { progress: 2, total: 2, message: "step 2" },
    ]);
    expect(textOf(await call("progress"))).toContain("null");
  });

  test("is told of a cancellation, and its late answer is dropped", async () => {
    const { call, lines, log } = await start();
    const controller = new AbortController();
    const reply = call("slow", { signal: controller.signal });
    controller.abort();
    expect(await reply).toMatchObject({ kind: "failed", code: "cancelled" });
    await call("slow");
    expect(lines().join("\n")).toContain('"method":"notifications/cancelled"');
    expect(log.lines.map((line) => line.message)).toContain(
      "upstream answer without an open request",
    );
  });

  test("is not sent a call that was cancelled before", async () => {
    const { call, lines } = await start();
    const reply = await call("echo", { signal: AbortSignal.abort() });
    expect(reply).toMatchObject({ kind: "failed", code: "cancelled" });
    await call("tool_error");
    expect(lines().join("\n")).not.toContain('"name":"echo"');
  });

  test("that never answers ends its call at the deadline", async () => {
    const { call } = await start("ok", { callTimeoutMs: 150 });
    expect(await call("never")).toMatchObject({ kind: "failed", code: "upstream_timeout" });
    expect((await call("echo")).kind).toBe("result");
  });

  test("that prints garbage is reported and goes on", async () => {
    const { call, log } = await start();
    expect(textOf(await call("garbage"))).toContain("after garbage");
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: "warn", message: "upstream sent what is no message" }),
    );
  });

  test("that greets on stdout before it speaks JSON-RPC still starts", async () => {
    const { call } = await start("chatty");
    expect((await call("echo")).kind).toBe("result");
  });

  test("that answers more than 32 MiB fails that call alone", async () => {
    const { call } = await start("ok", { callTimeoutMs: 20_000 });
    expect(await call("huge")).toMatchObject({ kind: "failed", code: "upstream_oversize" });
    expect((await call("echo")).kind).toBe("result");
  });

  test("that answers twice answers once", async () => {
    const { call } = await start();
    expect(textOf(await call("double"))).toContain("first");
    expect(textOf(await call("echo", { args: '{"x":1}' }))).toContain("x");
  });

  test("that dies ends its open calls and says so once", async () => {
    const { call, lost } = await start();
    const open = call("never");
    expect(await call("die")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(await open).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(lost).toEqual(["exited with code 9"]);
    expect(await call("echo")).toMatchObject({ kind: "failed", code: "upstream_lost" });
  });

  test("that reads no more is sent no more, and the call says that it was not sent", async () => {
    const { call } = await start("ok", { callTimeoutMs: 1000 });
    await call("deaf");
    const args = JSON.stringify({ x: "y".repeat(10 * 1024 * 1024) });
    const first = call("echo", { args });
    expect(await call("echo")).toMatchObject({ kind: "failed", code: "upstream_busy" });
    expect(await first).toMatchObject({ kind: "failed", code: "upstream_timeout" });
  });

  test("that asks for sampling is refused, not passed on", async () => {
    const { call, lines } = await start();
    await call("ask");
    await call("echo");
    const answers = lines().filter((line) => line.includes('"server-1"'));
    expect(answers).toEqual([expect.stringContaining('"code":-32601')]);
    expect(textOf(await call("ask"))).toContain("asked");
  });

  test("that changes its list says so", async () => {
    const { call, heard, listTools } = await start();
    await call("change");
    expect(heard).toEqual([{ method: "notifications/tools/list_changed", params: {} }]);
    expect(await listTools()).toHaveLength(17);
  });

  test("keeps JSON-RPC errors with code, message and data", async () => {
    const { call } = await start();
    const error = { code: -32_011, message: "no luck", data: { a: 1 } };
    expect(await call("error")).toEqual({ kind: "error", error });
  });

  test("gets no variable of the gateway's environment but those on the list", async () => {
    process.env["MCP_GATEWAY_TEST_SECRET"] = "canary-7f3a";
    const { call } = await start("ok", { env: { OWN: "given" } });
    const environment = textOf(await call("environment"));
    expect(environment).not.toContain("canary-7f3a");
    expect(environment).toContain("given");
  });
});

describe("an upstream that does not start", () => {
  test.each([
    ["exits at once", "exit", /exited with code 3/],
    ["speaks an unknown protocol version", "future", /unknown protocol version "2999-01-01"/],
  ])(
    "because it %s is an error that names the server and what to check",
    async (_, mode, message) => {
      await expect(start(mode)).rejects.toMatchObject({
        code: "upstream_start_failed",
        message: expect.stringMatching(message),
      });
      await expect(start(mode)).rejects.toThrow(/servers\.fixture\.command/);
    },
  );

  test("because there is no such command is an error that says so", async () => {
    const options = {
      id: "ghost",
      transport: {
        kind: "stdio",
        command: "no-such-command-7f3a",
        args: [],
        env: {},
        cwd: tmpdir(),
      },
      protocol: "auto",
      env: {},
      startTimeoutMs: 1000,
      capabilities: {},
    } as const;
    const log = createTestLog();
    const deps = { watchdog, log, events: { onLost: () => {} }, signal: patience };
    await expect(connectUpstream(options, deps)).rejects.toThrow(/could not be started.*ENOENT/);
  });

  test.each([
    ["more than 2000 tools", "many-tools", /more than 2000 tools/],
    ["more than it may keep", "long-list", /too long to be kept/],
  ])("because it lists %s is an error that says so", async (_, mode, message) => {
    const { listTools } = await start(mode);
    await expect(listTools()).rejects.toThrow(message);
  });

  test("because its list never ends is an error, not an endless loop", async () => {
    const { listTools } = await start("endless-list");
    await expect(listTools()).rejects.toMatchObject({
      code: "upstream_list_failed",
    });
  });
});
