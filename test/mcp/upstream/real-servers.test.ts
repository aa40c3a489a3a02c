import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { HttpTransport, StdioTransport } from "../../../src/config/config.ts";
import type { JsonObject } from "../../../src/contract/json.ts";
import type { CallProgress } from "../../../src/contract/progress.ts";
import { connectUpstream } from "../../../src/mcp/upstream/connect-upstream.ts";
import { listAll } from "../../../src/mcp/upstream/list-all.ts";
import type {
  ClientAnswer,
  ServerNotification,
  ServerRequest,
  UpstreamConnection,
  UpstreamRequest,
} from "../../../src/mcp/upstream/upstream-connection.ts";
import type { Era } from "../../../src/mcp/wire/method-table.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { patience, textOf, watchdog } from "./start-upstream.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const children: ChildProcess[] = [];
const opened: UpstreamConnection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((upstream) => upstream.close()));
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

/** Starts a server that says on stdout where it listens. */
async function serveHttp(file: string): Promise<HttpTransport> {
  const child = spawn(process.execPath, [`${root}${file}`, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return { kind: "http", url, headers: {}, oauth: undefined };
  }
  throw new Error(`${file} did not say where it listens`);
}

function stdio(file: string, ...args: readonly string[]): StdioTransport {
  const env = {};
  const cwd = tmpdir();
  return { kind: "stdio", command: process.execPath, args: [`${root}${file}`, ...args], env, cwd };
}

async function connect(
  transport: StdioTransport | HttpTransport,
  settings: {
    readonly onRequest?: (request: ServerRequest) => Promise<ClientAnswer>;
    readonly capabilities?: JsonObject;
  } = {},
) {
  const heard: ServerNotification[] = [];
  const learned: Era[] = [];
  const upstream = await connectUpstream(
    {
      id: "real",
      transport,
      protocol: "auto",
      env: { PATH: process.env["PATH"] ?? "" },
      startTimeoutMs: 30_000,
      capabilities: settings.capabilities ?? {},
    },
    {
      watchdog,
      log: createTestLog(),
      events: {
        onLost: (reason) => {
          throw new Error(reason);
        },
        onNotification: (notice) => void heard.push(notice),
        onRequest: settings.onRequest,
      },
      signal: patience,
      rememberEra: { known: undefined, learned: (era) => void learned.push(era) },
    },
  );
  opened.push(upstream);
  const call = (tool: string, args: object = {}, wanted: Partial<UpstreamRequest> = {}) =>
    upstream.request({
      method: "tools/call",
      params: { name: JSON.stringify(tool), arguments: JSON.stringify(args) },
      name: tool,
      timeoutMs: 20_000,
      ...wanted,
    });
  const list = (kind: Parameters<typeof listAll>[1]) =>
    listAll(upstream, kind, { id: "real", timeoutMs: 20_000 }, patience);
  return { upstream, heard, learned, call, list };
}

describe("a legacy server of SDK 1.x over HTTP", () => {
  const start = async (settings: Parameters<typeof connect>[1] = {}) =>
    connect(await serveHttp("test/fixtures/conformance/legacy-server.js"), settings);

  test("is found to be legacy, and lists everything it has", async () => {
    const { upstream, learned, list } = await start();
    expect(upstream.greeting).toMatchObject({
      era: "legacy",
      protocolVersion: "2025-11-25",
      serverInfo: { name: "legacy-fixture" },
    });
    expect(learned).toEqual(["legacy"]);
    for (const kind of ["tools", "prompts", "resources", "resourceTemplates"] as const) {
      expect((await list(kind)).length).toBeGreaterThan(0);
    }
  });

  test("is called, with progress and log messages for that call", async () => {
    const { call } = await start();
    expect(textOf(await call("test_simple_text"))).toContain("text");
    const progress: CallProgress[] = [];
    await call("test_tool_with_progress", {}, { onProgress: (step) => void progress.push(step) });
    expect(progress.length).toBeGreaterThan(1);
    const logged: ServerNotification[] = [];
    const onNotification = (notice: ServerNotification): void => void logged.push(notice);
    await call("test_tool_with_logging", {}, { onNotification });
    expect(logged.map(({ method }) => method)).toContain("notifications/message");
  });

  test("asks for sampling and elicitation in the middle of a call", async () => {
    const { call } = await start({ capabilities: { sampling: {}, elicitation: { form: {} } } });
    const asked: string[] = [];
    const onRequest = async ({ method }: ServerRequest): Promise<ClientAnswer> => {
      asked.push(method);
      const result =
        method === "sampling/createMessage"
          ? { role: "assistant", model: "m", content: { type: "text", text: "Paris-7f3a" } }
          : { action: "accept", content: { username: "ann-7f3a", email: "a@example.org" } };
      return { kind: "result", resultJson: JSON.stringify(result) };
    };
    const sampled = await call("test_sampling", { prompt: "?" }, { onRequest });
    expect(textOf(sampled)).toContain("Paris-7f3a");
    const elicited = await call("test_elicitation", { message: "?" }, { onRequest });
    expect(textOf(elicited)).toContain("ann-7f3a");
    expect(asked).toEqual(["sampling/createMessage", "elicitation/create"]);
  });

  test("closes the stream of a call and is polled until it answers", async () => {
    const { call } = await start();
    expect((await call("test_reconnection")).kind).toBe("result");
  });

  test("says what changed on its standing stream", async () => {
    const { call, heard } = await start();
    await call("test_trigger_tool_change");
    await eventually(() => heard.length > 0);
    expect(heard.map(({ method }) => method)).toContain("notifications/tools/list_changed");
  });
});

describe("a server of SDK 2.x over HTTP", () => {
  const start = async () => connect(await serveHttp("test/fixtures/conformance/modern-server.js"));

  test("is found to be modern, and lists everything it has", async () => {
    const { upstream, learned, list } = await start();
    expect(upstream.greeting).toMatchObject({
      era: "modern",
      protocolVersion: "2026-07-28",
      serverInfo: { name: "modern-fixture" },
    });
    expect(learned).toEqual(["modern"]);
    for (const kind of ["tools", "prompts", "resources", "resourceTemplates"] as const) {
      expect((await list(kind)).length).toBeGreaterThan(0);
    }
  });

  test("is called, with progress for that call", async () => {
    const { call } = await start();
    const progress: CallProgress[] = [];
    const onProgress = (step: CallProgress): void => void progress.push(step);
    expect((await call("test_tool_with_progress", {}, { onProgress })).kind).toBe("result");
    expect(progress.length).toBeGreaterThan(1);
  });

  test("asks in its result, for what the request says that the client can", async () => {
    const { call } = await start();
    const clientCapabilities = { elicitation: { form: {} } };
    const name = "test_input_required_result_elicitation";
    const asking = await call(name, {}, { clientCapabilities });
    expect(asking).toMatchObject({
      kind: "result",
      result: { value: { resultType: "input_required" } },
    });
    const inputResponses = '{"user_name":{"action":"accept","content":{"name":"ann-7f3a"}}}';
    const params = { name: JSON.stringify(name), arguments: "{}", inputResponses };
    expect(textOf(await call(name, {}, { clientCapabilities, params }))).toContain("ann-7f3a");
  });

  test("says what changed on the stream of a subscription, until that is taken back", async () => {
    const { upstream, call } = await start();
    const heard: string[] = [];
    const stop = new AbortController();
    const listening = upstream.request({
      method: "subscriptions/listen",
      params: { notifications: '{"toolsListChanged":true}' },
      timeoutMs: Infinity,
      signal: stop.signal,
      onNotification: ({ method }) => void heard.push(method),
    });
    await eventually(() => heard.includes("notifications/subscriptions/acknowledged"));
    await call("test_trigger_tool_change");
    await eventually(() => heard.includes("notifications/tools/list_changed"));
    stop.abort();
    expect(await listening).toMatchObject({ kind: "failed", code: "cancelled" });
  });
});

describe("a server on stdio", () => {
  test.each<[string, StdioTransport, Era]>([
    ["demo crm (SDK 2.x)", stdio("servers/crm/main.js"), "modern"],
    [
      "everything (SDK 1.x)",
      stdio("node_modules/@modelcontextprotocol/server-everything/dist/index.js", "stdio"),
      "legacy",
    ],
    [
      "memory (SDK 1.x)",
      stdio("node_modules/@modelcontextprotocol/server-memory/dist/index.js"),
      "legacy",
    ],
    [
      "filesystem (SDK 1.x)",
      stdio("node_modules/@modelcontextprotocol/server-filesystem/dist/index.js", tmpdir()),
      "legacy",
    ],
  ])("%s is found to be of its era, and lists its tools", async (_, transport, era) => {
    const { upstream, learned, list } = await connect(transport);
    expect(upstream.greeting.era).toBe(era);
    expect(learned).toEqual([era]);
    expect((await list("tools")).length).toBeGreaterThan(0);
    expect(await list("resourceTemplates")).toBeInstanceOf(Array);
  });

  test("everything asks for sampling in the middle of a call", async () => {
    const file = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    const { call, list } = await connect(stdio(file, "stdio"), { capabilities: { sampling: {} } });
    const names = (await list("tools")).map((tool) => JSON.stringify(tool));
    expect(names.join(" ")).toContain("trigger-sampling-request");
    const onRequest = async (): Promise<ClientAnswer> => ({
      kind: "result",
      resultJson: JSON.stringify({
        role: "assistant",
        model: "m",
        content: { type: "text", text: "sampled-7f3a" },
      }),
    });
    const args = { prompt: "?", maxTokens: 5 };
    const reply = await call("trigger-sampling-request", args, { onRequest });
    expect(textOf(reply)).toContain("sampled-7f3a");
  });
});
