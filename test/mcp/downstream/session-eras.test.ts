import { describe, expect, test } from "vitest";
import { codesOf, modernMeta, open, openGreeted, replyOf, untilCancelled } from "./open-session.ts";

const lists = [
  ["tools/list", "tools"],
  ["prompts/list", "prompts"],
  ["resources/list", "resources"],
  ["resources/templates/list", "resourceTemplates"],
] as const;

describe("a legacy client", () => {
  test.each(["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"])(
    "that asks for %s gets it",
    async (protocolVersion) => {
      const { request, sent, session } = open();
      await request(1, "initialize", { protocolVersion, capabilities: {} });
      expect(sent[0]).toMatchObject({
        id: 1,
        result: { protocolVersion, serverInfo: { name: "mcp-gateway" }, instructions: "hi" },
      });
      expect(session.protocolVersion).toBe(protocolVersion);
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

  test("that greets again is a new client: the old one is forgotten and hears nothing", async () => {
    const { request, notify, asked, listeners, actions, say, sent } = await openGreeted();
    await request(1, "logging/setLevel", { level: "emergency" });
    const [old] = listeners.keys();
    await request(2, "initialize", {
      protocolVersion: "2024-11-05",
      capabilities: { roots: {} },
      clientInfo: { name: "again", version: "2" },
    });
    expect(asked.filter(([name]) => name === "forget")).toEqual([["forget", old]]);
    expect([...listeners.keys()]).toMatchObject([{ claim: { name: "again" } }]);
    sent.length = 0;
    say("notifications/tools/list_changed");
    expect(sent).toEqual([]);
    await notify("notifications/initialized");
    say("notifications/message", { level: "debug" });
    expect(sent).toHaveLength(1);
    await request(3, "tools/call", { name: "t" });
    expect(actions[0]?.client).toMatchObject({
      protocolVersion: "2024-11-05",
      capabilities: { roots: {} },
    });
  });

  test.each(lists)("gets %s page by page", async (method, kind) => {
    const { request, sent } = await openGreeted();
    await request(1, method);
    const { [kind]: items, nextCursor, ...rest } = Object(sent[0]?.["result"]);
    expect(items).toHaveLength(250);
    expect(rest).toEqual({});
    await request(2, method, { cursor: nextCursor });
    const last = Object(sent[1]?.["result"]);
    expect(last[kind]).toHaveLength(50);
    expect(last).not.toHaveProperty("nextCursor");
  });

  test("is refused a cursor that is not from this list", async () => {
    const { request, sent } = await openGreeted();
    await request(1, "prompts/list");
    const { nextCursor } = Object(sent[0]?.["result"]);
    const old = Buffer.from("v-old:250").toString("base64url");
    for (const cursor of ["", "xyz", 7, old, nextCursor]) {
      await request(3, "tools/list", { cursor });
      expect(sent.at(-1)).toMatchObject({ error: { code: -32_602 } });
    }
  });

  test("gets the bytes of a result as the upstream sent them", async () => {
    const { request, raw } = await openGreeted(() => replyOf('{ "content":[], "n":1.50 }'));
    await request(7, "tools/call", { name: "s__t", arguments: {} });
    expect(raw[0]).toBe('{"jsonrpc":"2.0","id":7,"result":{ "content":[], "n":1.50 }}');
  });

  test("gets nothing that only the modern era has, and every other byte", async () => {
    const text =
      '{"resultType":"complete","n":1.50,"ttlMs":5,"cacheScope":"public","contents":[ ],"x":null}';
    const { request, raw } = await openGreeted(() => replyOf(text));
    await request(7, "resources/read", { uri: "x:a" });
    expect(raw[0]).toBe('{"jsonrpc":"2.0","id":7,"result":{"n":1.50,"contents":[ ],"x":null}}');
  });

  test("keeps the error of a resource that is not there", async () => {
    const { request, sent } = await openGreeted(() => ({
      kind: "error",
      code: -32_002,
      message: "Resource not found",
      data: { uri: "x:a" },
    }));
    await request(1, "resources/read", { uri: "x:a" });
    expect(sent[0]).toEqual({
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32_002, message: "Resource not found", data: { uri: "x:a" } },
    });
  });

  test("is told what belongs to no request after it said that it is ready", async () => {
    const { notify, request, sent, say } = open();
    await request(1, "initialize", { protocolVersion: "2025-11-25" });
    sent.pop();
    say("notifications/tools/list_changed");
    expect(sent).toEqual([]);
    await notify("notifications/initialized");
    say("notifications/tools/list_changed");
    expect(sent).toEqual([
      { jsonrpc: "2.0", method: "notifications/tools/list_changed", params: {} },
    ]);
  });

  test.each([
    ["notifications/elicitation/complete", "2025-06-18"],
    ["notifications/tasks/status", "2025-06-18"],
    ["notifications/tasks", "2025-11-25"],
    ["notifications/vendor", "2025-11-25"],
  ])("is not told %s, which %s does not have", async (method, protocolVersion) => {
    const { say, sent } = await openGreeted(undefined, { protocolVersion });
    say(method, { taskId: "t" });
    expect(sent).toEqual([]);
  });

  test.each([
    ["notifications/elicitation/complete", "2025-11-25"],
    ["notifications/tasks/status", "2025-11-25"],
    ["notifications/resources/updated", "2024-11-05"],
  ])("is told %s, which %s has", async (method, protocolVersion) => {
    const { say, sent } = await openGreeted(undefined, { protocolVersion });
    say(method, { taskId: "t" });
    expect(sent).toMatchObject([{ method }]);
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
        capabilities: { experimental: { era: { name: "modern" } } },
        ttlMs: 0,
        cacheScope: "private",
        _meta: { "io.modelcontextprotocol/serverInfo": { name: "mcp-gateway" } },
      },
    });
  });

  test("may still fall back to the handshake on the same connection", async () => {
    const { request, sent } = open();
    await request(1, "server/discover", { _meta: modernMeta });
    await request(2, "initialize", { protocolVersion: "2025-11-25" });
    expect(sent[1]).toMatchObject({ result: { protocolVersion: "2025-11-25" } });
  });

  test.each(lists)("gets %s stamped as its own, for now", async (method, kind) => {
    const { request, sent } = open();
    await request(1, method, { _meta: modernMeta });
    expect(sent[0]).toMatchObject({
      result: { resultType: "complete", ttlMs: 0, cacheScope: "private" },
    });
    expect(Object(sent[0]?.["result"])[kind]).toHaveLength(250);
  });

  test("gets results that say what they are, and every other byte as it came", async () => {
    const { request, raw } = open(() => replyOf('{"content":[ ],"n":1.50}'));
    await request(1, "tools/call", { name: "t", _meta: modernMeta });
    expect(raw[0]).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[ ],"n":1.50}}',
    );
  });

  test("gets a question of its server as one", async () => {
    const { request, sent } = open(() => replyOf({ resultType: "input_required" }));
    await request(1, "tools/call", { name: "t", _meta: modernMeta });
    expect(sent[0]).toMatchObject({ result: { resultType: "input_required" } });
  });

  test.each([
    [{ contents: [] }, { ttlMs: 0, cacheScope: "private" }],
    [
      { contents: [], ttlMs: 60, cacheScope: "public" },
      { ttlMs: 60, cacheScope: "private" },
    ],
    [
      { contents: [], ttlMs: -1 },
      { ttlMs: 0, cacheScope: "private" },
    ],
    [
      { contents: [], ttlMs: "9" },
      { ttlMs: 0, cacheScope: "private" },
    ],
  ])("may keep what it read (%j) for itself alone", async (value, kept) => {
    const { request, sent } = open(() => replyOf(value));
    await request(1, "resources/read", { uri: "x:a", _meta: modernMeta });
    expect(sent[0]).toMatchObject({ result: { resultType: "complete", ...kept } });
  });

  test("is told of a resource that is not there in its own words", async () => {
    const error = { kind: "error", code: -32_002, message: "no", data: { uri: "x:a" } } as const;
    const { request, sent } = open(() => error);
    await request(1, "resources/read", { uri: "x:a", _meta: modernMeta });
    expect(sent[0]?.["error"]).toEqual({ code: -32_602, message: "no", data: { uri: "x:a" } });
  });

  test("with another revision is told which there are", async () => {
    const { request, sent } = open();
    const _meta = { ...modernMeta, "io.modelcontextprotocol/protocolVersion": "2030-01-01" };
    await request(1, "tools/list", { _meta });
    expect(sent[0]).toMatchObject({
      error: { code: -32_022, data: { supported: ["2026-07-28"], requested: "2030-01-01" } },
    });
  });

  test.each([
    ["without capabilities", {}],
    ["with capabilities that are a list", { "io.modelcontextprotocol/clientCapabilities": [] }],
  ])("%s in its envelope is refused", async (_, more) => {
    const { request, sent } = open();
    const meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", ...more };
    await request(1, "tools/list", { _meta: meta });
    expect(codesOf(sent)).toEqual([-32_602]);
  });
});

describe("the end of a session", () => {
  test("cancels what is open, stops listening and has its client forgotten", async () => {
    const { session, request, sent, asked, listeners } = await openGreeted(untilCancelled);
    const pending = request(1, "tools/call", { name: "t" });
    session.close();
    await pending;
    expect(sent).toEqual([]);
    expect(asked.map(([name]) => name)).toEqual(["forget"]);
    expect(listeners.size).toBe(0);
  });
});
