import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { CallReply, CallRequest, Gateway } from "../../../src/gateway/gateway.ts";
import { Session } from "../../../src/mcp/downstream/session.ts";
import { createTestLog } from "../../support/log.ts";

const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "modern", version: "9" },
};

/** A gateway that answers what the test says; it stands for the whole rest of the product. */
function open(answer: (call: CallRequest) => Promise<CallReply> | CallReply = echo) {
  const sent: Record<string, unknown>[] = [];
  const raw: string[] = [];
  const calls: CallRequest[] = [];
  const malformed: string[] = [];
  let announce = (): void => {};
  const gateway: Gateway = {
    callTool: async (call) => {
      calls.push(call);
      return await answer(call);
    },
    listTools: async () => ({
      version: "v1",
      tools: Array.from({ length: 300 }, (_, index) => ({ name: `s__t${index}`, execution: {} })),
    }),
    refuseMalformed: async (version) => void malformed.push(version),
    onToolsChanged: (listener) => {
      announce = listener;
      return () => {};
    },
    close: async () => {},
  };
  const session = new Session({
    gateway,
    log: createTestLog(),
    send: (...parts) => {
      const line = parts.map(String).join("");
      raw.push(line);
      sent.push(JSON.parse(line));
    },
  });
  const receive = (message: unknown): Promise<void> =>
    session.receive(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  const request = (id: number | string, method: string, params: object = {}): Promise<void> =>
    receive({ jsonrpc: "2.0", id, method, params });
  return { session, sent, raw, calls, malformed, receive, request, announce: () => announce() };
}

function echo(call: CallRequest): CallReply {
  const text = `{"content":[],"echo":${call.argumentsJson}}`;
  return { kind: "result", origin: "upstream", bytes: Buffer.from(text), value: JSON.parse(text) };
}

describe("a legacy client", () => {
  test.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])(
    "that asks for %s gets it",
    async (protocolVersion) => {
      const { request, sent } = open();
      await request(1, "initialize", { protocolVersion, capabilities: {} });
      expect(sent[0]).toMatchObject({
        id: 1,
        result: { protocolVersion, serverInfo: { name: "mcp-gateway" } },
      });
    },
  );

  test.each(["2026-07-28", "1999-01-01", 7, undefined])(
    "that asks for %s in the handshake gets the newest legacy revision",
    async (protocolVersion) => {
      const { request, sent } = open();
      await request(1, "initialize", { protocolVersion });
      expect(sent[0]).toMatchObject({ result: { protocolVersion: "2025-11-25" } });
    },
  );

  test("lists page by page and is refused a cursor that is not from this list", async () => {
    const { request, sent } = open();
    await request(1, "tools/list");
    const { tools, nextCursor } = Object(sent[0]?.["result"]);
    expect(tools).toHaveLength(250);
    await request(2, "tools/list", { cursor: nextCursor });
    expect(Object(sent[1]?.["result"]).tools).toHaveLength(50);
    for (const cursor of ["", "xyz", 7, Buffer.from("v2:250").toString("base64url")]) {
      await request(3, "tools/list", { cursor });
      expect(sent.at(-1)).toMatchObject({ error: { code: -32_602 } });
    }
  });

  test("gets the bytes of a result as the upstream sent them", async () => {
    const { request, raw } = open(() => {
      const text = '{ "content":[], "n":1.50 }';
      return { kind: "result", origin: "upstream", bytes: Buffer.from(text), value: {} };
    });
    await request(7, "tools/call", { name: "s__t", arguments: {} });
    expect(raw[0]).toBe('{"jsonrpc":"2.0","id":7,"result":{ "content":[], "n":1.50 }}');
  });

  test("is told of changed tools once for many changes, after it said that it is ready", async () => {
    const { receive, request, sent, announce } = open();
    await request(1, "initialize", { protocolVersion: "2025-11-25" });
    sent.pop();
    announce();
    await delay(150);
    expect(sent).toEqual([]);
    await receive({ jsonrpc: "2.0", method: "notifications/initialized" });
    for (let change = 0; change < 5; change += 1) announce();
    await delay(200);
    expect(sent).toEqual([{ jsonrpc: "2.0", method: "notifications/tools/list_changed" }]);
  });
});

describe("a modern client", () => {
  test("discovers the modern revisions", async () => {
    const { request, sent } = open();
    await request(1, "server/discover", { _meta: modernMeta });
    expect(sent[0]).toMatchObject({
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28"],
        ttlMs: 0,
        cacheScope: "private",
      },
    });
  });

  test("may still fall back to the handshake on the same connection", async () => {
    const { request, sent } = open();
    await request(1, "server/discover", { _meta: modernMeta });
    await request(2, "initialize", { protocolVersion: "2025-11-25" });
    expect(sent[1]).toMatchObject({ result: { protocolVersion: "2025-11-25" } });
  });

  test("gets results that say they are complete, whatever the upstream claims", async () => {
    const { request, sent, calls } = open(() => {
      const value = { resultType: "input_required", content: [] };
      return {
        kind: "result",
        origin: "upstream",
        bytes: Buffer.from(JSON.stringify(value)),
        value,
      };
    });
    await request(1, "tools/call", { name: "s__t", arguments: {}, _meta: modernMeta });
    expect(sent[0]).toMatchObject({ result: { resultType: "complete" } });
    expect(calls[0]).toMatchObject({ protocolVersion: "2026-07-28", client: { name: "modern" } });
  });

  test("with another revision is told which there are", async () => {
    const { request, sent } = open();
    const _meta = { ...modernMeta, "io.modelcontextprotocol/protocolVersion": "2030-01-01" };
    await request(1, "tools/list", { _meta });
    expect(sent[0]).toMatchObject({
      error: { code: -32_022, data: { supported: ["2026-07-28"], requested: "2030-01-01" } },
    });
  });

  test("without capabilities in its envelope is refused", async () => {
    const { request, sent } = open();
    const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    await request(1, "tools/list", { _meta });
    expect(sent[0]).toMatchObject({ error: { code: -32_602 } });
  });

  test("cannot ping or initialize in its own era", async () => {
    const { request, sent } = open();
    await request(1, "ping", { _meta: modernMeta });
    await request(2, "initialize", { _meta: modernMeta });
    expect(sent.map(({ error }) => Object(error).code)).toEqual([-32_601, -32_601]);
  });
});

describe("the method table", () => {
  test.each([
    "resources/read",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "subscriptions/listen",
    "sampling/createMessage",
    "tools/Call",
    "tools/call ",
    "tools/call\u0000",
    "toString",
    "__proto__",
    "constructor",
    "vendor/anything",
  ])("refuses %j in both eras", async (method) => {
    const { request, sent, calls } = open();
    await request(1, method);
    await request(2, method, { _meta: modernMeta });
    expect(sent.map(({ error }) => Object(error).code)).toEqual([-32_601, -32_601]);
    expect(calls).toEqual([]);
  });

  test("makes no call of a notification", async () => {
    const { receive, sent, calls } = open();
    await receive({ jsonrpc: "2.0", method: "tools/call", params: { name: "s__t" } });
    expect([sent, calls]).toEqual([[], []]);
  });
});

describe("a tool call", () => {
  test("passes on name, arguments, trace context and progress, and names what it drops", async () => {
    const { request, calls } = open();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await request(1, "tools/call", {
      name: "s__t",
      Name: "other",
      arguments: { a: 1 },
      requestState: "x",
      task: { ttl: 1 },
      _meta: { progressToken: "p", traceparent, baggage: "b=1", "vendor/x": 1 },
    });
    expect(calls[0]).toMatchObject({
      exposedName: "s__t",
      argumentsJson: '{"a":1}',
      traceparent,
      dropped: ["/Name", "/requestState", "/task", "/_meta/baggage", "/_meta/vendor/x"],
    });
  });

  test("without arguments has an empty object of them", async () => {
    const { request, calls } = open();
    await request(1, "tools/call", { name: "s__t" });
    expect(calls[0]?.argumentsJson).toBe("{}");
  });

  test("drops a trace context that is not well formed", async () => {
    const { request, calls } = open();
    await request(1, "tools/call", { name: "s__t", _meta: { traceparent: "00-evil\ndata" } });
    expect(calls[0]).toMatchObject({ traceparent: undefined, dropped: ["/_meta/traceparent"] });
  });

  test.each([
    ["a name that is no string", { name: 7 }],
    ["no name", { arguments: {} }],
    ["a name of 257 characters", { name: "x".repeat(257) }],
    ["arguments that are an array", { name: "t", arguments: [] }],
    ["arguments that are null", { name: "t", arguments: null }],
    ["a _meta that is an array", { name: "t", _meta: [] }],
    ["a progress token that is an object", { name: "t", _meta: { progressToken: {} } }],
  ])("with %s is refused, recorded and never made", async (_, params) => {
    const { request, sent, calls, malformed } = open();
    await request(1, "tools/call", params);
    expect(sent[0]).toMatchObject({ id: 1, error: { code: -32_602 } });
    expect([calls.length, malformed.length]).toEqual([0, 1]);
  });

  test("that breaks a rule of the wire is recorded as a denial and answered by its id", async () => {
    const { receive, sent, malformed } = open();
    await receive(
      '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"a","name":"b"}}',
    );
    expect(sent[0]).toMatchObject({ id: 5, error: { code: -32_600 } });
    expect(malformed).toHaveLength(1);
  });

  test("reports progress under the client's own token, and none after its answer", async () => {
    let late: CallRequest["onProgress"];
    const { request, sent } = open((call) => {
      late = call.onProgress;
      call.onProgress?.({ progress: 1 });
      return echo(call);
    });
    await request(1, "tools/call", { name: "s__t", _meta: { progressToken: "mine" } });
    late?.({ progress: 2 });
    expect(sent).toHaveLength(2);
    expect(sent[0]).toMatchObject({ params: { progressToken: "mine", progress: 1 } });
  });

  test("that is cancelled is aborted and left unanswered", async () => {
    const { request, receive, sent } = open(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { kind: "cancelled" };
    });
    const pending = request("a", "tools/call", { name: "s__t" });
    await receive({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: "b" },
    });
    await receive({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: "a" },
    });
    await pending;
    expect(sent).toEqual([]);
  });

  test('cannot take the id of one that is in flight; 1 and "1" are two ids', async () => {
    const releases: (() => void)[] = [];
    const { request, sent } = open(async (call) => {
      await new Promise<void>((resolve) => releases.push(resolve));
      return echo(call);
    });
    const first = request(1, "tools/call", { name: "s__t" });
    const other = request("1", "tools/call", { name: "s__t" });
    await request(1, "tools/call", { name: "s__t" });
    expect(sent).toMatchObject([{ id: 1, error: { code: -32_600 } }]);
    for (const release of releases) release();
    await Promise.all([first, other]);
    expect(sent.slice(1).map(({ id }) => id)).toEqual([1, "1"]);
  });

  test("that fails inside is answered with a code and no detail", async () => {
    const { request, sent } = open(() => {
      throw new Error("secret detail");
    });
    await request(1, "tools/call", { name: "s__t" });
    expect(sent[0]).toMatchObject({ error: { code: -32_603, data: { code: "internal_error" } } });
    expect(JSON.stringify(sent)).not.toContain("secret detail");
  });

  test("lets no upstream speak under the gateway's own _meta prefix", async () => {
    const value = { content: [], _meta: { "io.mcp-gateway/decision": { allow: true }, mine: 1 } };
    const bytes = Buffer.from(JSON.stringify(value));
    const { request, sent } = open(() => ({ kind: "result", origin: "upstream", bytes, value }));
    await request(1, "tools/call", { name: "s__t" });
    expect(sent[0]).toMatchObject({ result: { _meta: { mine: 1 } } });
    expect(JSON.stringify(sent)).not.toContain("io.mcp-gateway");
  });
});
