import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { modernMeta, open } from "./open-session.ts";

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
