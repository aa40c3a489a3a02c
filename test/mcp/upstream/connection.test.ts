import { describe, expect, test } from "vitest";
import type {
  ClientAnswer,
  ServerNotification,
  ServerRequest,
  UpstreamRequest,
} from "../../../src/mcp/upstream/upstream-connection.ts";
import { eventually } from "../../support/eventually.ts";
import type { StartSettings } from "./start-upstream.ts";
import { startUpstream, textOf } from "./start-upstream.ts";

async function start(mode: "legacy" | "modern", settings: Partial<StartSettings> = {}) {
  const started = await startUpstream({
    fixture: "era-server.js",
    mode,
    protocol: mode,
    ...settings,
  });
  const call = (tool: string, args: object = {}, wanted: Partial<UpstreamRequest> = {}) =>
    started.upstream.request({
      method: "tools/call",
      params: { name: JSON.stringify(tool), arguments: JSON.stringify(args) },
      timeoutMs: 5000,
      ...wanted,
    });
  return { ...started, call };
}

const sampled = { role: "assistant", model: "m", content: { type: "text", text: "hi" } };

/** Answers so that the fixture can end the call that it asked in. */
async function answerFor({ params }: ServerRequest): Promise<ClientAnswer> {
  const answer = { ...sampled, for: params["for"] ?? null };
  return { kind: "result", resultJson: JSON.stringify(answer) };
}

describe("a request of a legacy server", () => {
  test("goes to the newest open request that hears it, and its answer goes back", async () => {
    const { call } = await start("legacy");
    const asked: string[] = [];
    const hearsNot = call("log", { words: "" });
    const older = call(
      "slow-progress",
      { steps: 4, everyMs: 50 },
      {
        onProgress: () => {},
        onRequest: () => Promise.reject(new Error("the older request was asked")),
      },
    );
    const reply = await call(
      "ask",
      {},
      {
        onRequest: (request) => {
          asked.push(request.method);
          return answerFor(request);
        },
      },
    );
    expect(asked).toEqual(["sampling/createMessage"]);
    expect(textOf(reply)).toContain("assistant");
    expect((await hearsNot).kind).toBe("result");
    expect((await older).kind).toBe("result");
  });

  test("goes to the connection where no request hears it", async () => {
    const { call } = await start("legacy", { onRequest: answerFor });
    expect(textOf(await call("ask"))).toContain("assistant");
  });

  test("is answered with the error that it got", async () => {
    const { call } = await start("legacy");
    const reply = await call(
      "ask",
      {},
      {
        onRequest: async ({ params }) => ({
          kind: "error",
          error: { code: -1, message: "User rejected", data: { for: params["for"] } },
        }),
      },
    );
    expect(textOf(reply)).toContain("User rejected");
  });

  test("is answered with an internal error where asking throws, and says nothing of why", async () => {
    const { call, lines, log } = await start("legacy");
    void call("ask", {}, { onRequest: () => Promise.reject(new Error("secret-7f3a")) });
    await eventually(() => lines().some((line) => line.includes("-32603")));
    expect(lines().join("\n")).not.toContain("secret-7f3a");
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: "asking the client failed" }),
    );
  });

  test("that it takes back is not answered, and whoever was asked is told", async () => {
    const { call, lines } = await start("legacy");
    let wasAborted = false;
    const onRequest = async ({ signal }: ServerRequest): Promise<ClientAnswer> => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      wasAborted = true;
      return { kind: "result", resultJson: "{}" };
    };
    expect(textOf(await call("ask-and-take-back", {}, { onRequest }))).toContain("taken back");
    expect(wasAborted).toBe(true);
    await call("meta");
    expect(lines().join("\n")).not.toContain('"id":"ask-2"');
  });

  test("is taken back with the server itself", async () => {
    const { call, upstream } = await start("legacy");
    const asked: ServerRequest[] = [];
    const onRequest = (request: ServerRequest): Promise<ClientAnswer> => {
      asked.push(request);
      return new Promise(() => {});
    };
    const reply = call("ask", {}, { onRequest });
    await eventually(() => asked.length === 1);
    await upstream.close();
    expect(await reply).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(asked[0]?.signal.aborted).toBe(true);
  });

  test("beyond 64 open ones is answered that the client is busy, and asks nobody", async () => {
    const { call, lines } = await start("legacy");
    let asked = 0;
    const onRequest = (): Promise<ClientAnswer> => {
      asked += 1;
      return new Promise(() => {});
    };
    await call("ask-flood", {}, { onRequest });
    await eventually(() => lines().filter((line) => line.includes("-32000")).length === 6);
    expect(asked).toBe(64);
  });

  test.each([
    ["params that are no object", '"params":[1]'],
    ["a key __proto__ somewhere", '"params":{"a":[{"__proto__":{}}]}'],
    ["deeper params than policy can see", `"params":{"a":${"[".repeat(64)}${"]".repeat(64)}}`],
  ])("with %s is refused and ends no request of that id", async (_, params) => {
    const { call, lines } = await start("legacy", { onRequest: answerFor });
    const line = `{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage",${params}}`;
    expect(textOf(await call("ask-raw", { line }))).toContain("asked");
    await call("meta");
    expect(lines().filter((sent) => sent.includes('"code":-32602'))).toHaveLength(1);
  });

  test("over the size limit is dropped and ends no request of that id", async () => {
    const { call, log } = await start("legacy");
    expect(textOf(await call("ask-huge"))).toContain("asked for too much");
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: "upstream message over the size limit dropped" }),
    );
  });

  test("of a server that does not read is not answered without end", async () => {
    const { call, log } = await start("legacy");
    await call("deaf");
    const args = { padding: "x".repeat(33 * 1024 * 1024) };
    expect(await call("meta", args, { timeoutMs: 2000 })).toMatchObject({ kind: "failed" });
    const dropped = { message: "upstream does not read; a message to it was dropped" };
    await expect
      .poll(() => log.lines, { timeout: 20_000 })
      .toContainEqual(expect.objectContaining(dropped));
  });
});

describe("a request of a modern server", () => {
  test("is refused and logged, whoever would hear it", async () => {
    const { call, lines, log } = await start("modern", { onRequest: answerFor });
    void call("ask", {}, { onRequest: answerFor });
    await eventually(() => lines().some((line) => line.includes('"code":-32601')));
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: "request of an upstream refused" }),
    );
  });
});

describe("a notification", () => {
  test("with a log message goes to the newest open request, without one to the connection", async () => {
    const { call, heard } = await start("legacy");
    const mine: ServerNotification[] = [];
    await call("log", { words: "x" }, { onNotification: (notice) => void mine.push(notice) });
    expect(mine).toEqual([
      { method: "notifications/message", params: { level: "info", data: "x" } },
    ]);
    await call("log", { words: "y" });
    expect(heard).toMatchObject([{ params: { data: "y" } }]);
  });

  test("of a subscription goes to its own listen request alone, and to nobody else's", async () => {
    const { call, upstream, heard } = await start("modern");
    const mine: ServerNotification[] = [];
    const stop = new AbortController();
    const listening = upstream.request({
      method: "subscriptions/listen",
      params: { notifications: '{"resourceSubscriptions":["a://b"]}' },
      timeoutMs: Infinity,
      signal: stop.signal,
      onNotification: (notice) => void mine.push(notice),
    });
    await eventually(() => mine.length === 1);
    expect(mine[0]).toMatchObject({ method: "notifications/subscriptions/acknowledged" });
    await call("publish", { to: [2, 3, 999, "2"] });
    expect(mine).toHaveLength(2);
    expect(heard).toEqual([]);
    stop.abort();
    expect(await listening).toMatchObject({ kind: "failed", code: "cancelled" });
  });

  test("that ends a subscription ends it, and no other request", async () => {
    const { call, upstream } = await start("modern");
    const listening = upstream.request({
      method: "subscriptions/listen",
      params: { notifications: "{}" },
      timeoutMs: Infinity,
    });
    expect((await call("end-subscription", { id: 3 })).kind).toBe("result");
    await call("end-subscription", { id: 2 });
    expect(await listening).toMatchObject({ kind: "failed", code: "upstream_lost" });
  });
});

describe("the params of a request", () => {
  test("carry the envelope of 2026-07-28 to a modern server, and progress tokens of the gateway", async () => {
    const { call } = await start("modern");
    const meta = { "io.modelcontextprotocol/protocolVersion": "forged", traceparent: "00-1" };
    const clientCapabilities = { elicitation: { form: {} } };
    const reply = await call("meta", {}, { meta, clientCapabilities, onProgress: () => {} });
    const text = textOf(reply);
    expect(text).toContain('\\"io.modelcontextprotocol/protocolVersion\\":\\"2026-07-28\\"');
    expect(text).toContain('\\"name\\":\\"mcp-gateway\\"');
    expect(text).toContain('clientCapabilities\\":{\\"elicitation\\":{\\"form\\":{}}}');
    expect(text).toContain('\\"progressToken\\":2');
    expect(text).toContain('\\"traceparent\\":\\"00-1\\"');
  });

  test("carry no envelope to a legacy server", async () => {
    const { call } = await start("legacy");
    expect(textOf(await call("meta"))).toContain('"null"');
  });
});

describe("an answer", () => {
  test("to an id that is not open ends nothing, and the open request goes on", async () => {
    const { call, log } = await start("legacy");
    const open = call("answer-other", { id: 99 }, { timeoutMs: 300 });
    expect(await open).toMatchObject({ kind: "failed", code: "upstream_timeout" });
    const stringId = call("answer-other", { id: "3" }, { timeoutMs: 300 });
    expect(await stringId).toMatchObject({ kind: "failed", code: "upstream_timeout" });
    expect(log.lines.map(({ message }) => message)).toContain(
      "upstream answered what was not asked there",
    );
  });

  test("that a server gives before it exits arrives", async () => {
    const { call } = await start("legacy");
    expect(textOf(await call("exit-after"))).toContain("last words");
  });
});
