import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type {
  ClientAnswer,
  ServerNotification,
} from "../../../../src/mcp/upstream/upstream-connection.ts";
import { eventually } from "../../../support/eventually.ts";
import type { Received } from "./fake-upstream.ts";
import {
  connect,
  greetLegacy,
  rpcError,
  rpcResult,
  sendEvent,
  sendJson,
  startEvents,
  startFake,
  textResult,
} from "./fake-upstream.ts";

async function start(answer: (request: Received) => void, settings: object = {}) {
  const fake = await startFake((request) => {
    if (!greetLegacy(request)) answer(request);
  });
  return { fake, ...(await connect({ url: fake.url, protocol: "legacy", ...settings })) };
}

const done = ({ id, response }: Received): void =>
  sendJson(response, rpcResult(id, textResult("done")));

describe("a legacy server over HTTP", () => {
  test("gets its session and the agreed version with every request, and DELETE at the end", async () => {
    const { fake, upstream, call } = await start(done);
    expect((await call("echo")).kind).toBe("result");
    await upstream.close();
    const [first, ...others] = fake.received;
    expect(first).toMatchObject({ rpc: "initialize" });
    expect(first?.headers).not.toHaveProperty("mcp-session-id");
    expect(first?.headers).not.toHaveProperty("mcp-protocol-version");
    expect(others.map(({ method, rpc }) => `${method} ${rpc}`)).toEqual([
      "POST notifications/initialized",
      "GET ",
      "POST tools/call",
      "DELETE ",
    ]);
    for (const { headers } of others) {
      expect(headers).toMatchObject({
        "mcp-session-id": "s-1",
        "mcp-protocol-version": "2025-11-25",
      });
    }
    expect(others[2]?.headers.accept).toBe("application/json, text/event-stream");
  });

  test("that answers JSON passes its bytes as they came", async () => {
    const bytes = '{ "content":[ ], "n":12345678901234567890, "e":1.50 }';
    const { call } = await start(({ id, response }) =>
      sendJson(response, `{"jsonrpc":"2.0","id":${String(id)},"result":${bytes}}`),
    );
    const reply = await call("x");
    expect(reply.kind === "result" && reply.result.bytes.toString()).toBe(bytes);
  });

  test("that answers with events passes the bytes of the answer as they came", async () => {
    const bytes = '{"content":[],"n":1.50}';
    const { call } = await start(({ id, response }) => {
      startEvents(response);
      response.write(
        `: hello\r\n\r\nevent: message\r\ndata: {"jsonrpc":"2.0","id":${String(id)},\r\n`,
      );
      response.write(`data: "result":${bytes}}\r`);
      response.end("\n\r\n");
    });
    const reply = await call("x");
    expect(reply.kind === "result" && reply.result.bytes.toString()).toBe(bytes);
  });

  test("that asks on the stream of a call asks the client of that call, not of the newest", async () => {
    const streams = new Map<string, Received>();
    const { call } = await start((request) => {
      const { body, response } = request;
      if (body["method"] === undefined) {
        response.writeHead(202).end();
        const asker = streams.get(JSON.stringify(body["id"]));
        if (asker === undefined) throw new Error("an answer nobody asked for");
        sendEvent(asker.response, rpcResult(asker.id, textResult(JSON.stringify(body["result"]))));
        asker.response.end();
        return;
      }
      const params = JSON.stringify(body["params"]);
      startEvents(response);
      response.flushHeaders();
      if (!params.includes("older")) return;
      streams.set('"q"', request);
      void delay(100).then(() =>
        sendEvent(response, { jsonrpc: "2.0", id: "q", method: "roots/list" }),
      );
    });
    const ask = (who: string) => async (): Promise<ClientAnswer> => ({
      kind: "result",
      resultJson: JSON.stringify({ who }),
    });
    const older = call("older", {}, { onRequest: ask("older") });
    const stop = new AbortController();
    const newer = call("newer", {}, { onRequest: ask("newer"), signal: stop.signal });
    expect(JSON.stringify(await older)).toContain("older");
    stop.abort();
    await newer;
  });

  test("answers only the request whose stream it is: equal ids of others end nothing", async () => {
    const open: Received[] = [];
    const { call, log } = await start((request) => {
      startEvents(request.response);
      open.push(request);
      if (open.length < 2) return;
      const [victim, attacker] = open;
      if (victim === undefined || attacker === undefined) return;
      sendEvent(attacker.response, rpcResult(victim.id, textResult("forged")));
      sendEvent(victim.response, rpcResult(victim.id, textResult("true")));
      sendEvent(attacker.response, rpcResult(attacker.id, textResult("mine")));
      sendEvent(attacker.response, rpcResult(attacker.id, textResult("again")));
      for (const { response } of open) response.end();
    });
    const first = call("victim");
    await eventually(() => open.length === 1);
    expect(JSON.stringify(await call("attacker"))).toContain("mine");
    expect(JSON.stringify(await first)).toContain("true");
    expect(log.lines.map(({ message }) => message)).toContain(
      "upstream answered what was not asked there",
    );
  });

  test("is told of a cancellation, and its stream is closed", async () => {
    const closed: unknown[] = [];
    const { fake, call } = await start(({ id, response }) => {
      startEvents(response);
      response.flushHeaders();
      response.on("close", () => closed.push(id));
    });
    const stop = new AbortController();
    const reply = call("x", {}, { signal: stop.signal });
    await eventually(() => fake.received.some(({ rpc }) => rpc === "tools/call"));
    stop.abort();
    expect(await reply).toMatchObject({ kind: "failed", code: "cancelled" });
    await eventually(() => closed.length === 1);
    await eventually(() =>
      fake.received.some(
        ({ body }) =>
          body["method"] === "notifications/cancelled" &&
          JSON.stringify(body["params"]).includes(`"requestId":${String(closed[0])}`),
      ),
    );
  });

  test("that dribbles and never answers ends its call at the deadline", async () => {
    const timers: NodeJS.Timeout[] = [];
    const { call } = await start(({ response }) => {
      startEvents(response);
      timers.push(setInterval(() => response.write(": still here\n\n"), 20));
    });
    const reply = await call("x", {}, { timeoutMs: 300 });
    for (const timer of timers) clearInterval(timer);
    expect(reply).toMatchObject({ kind: "failed", code: "upstream_timeout" });
  });

  test("that forgot the session is lost: the call fails, is not sent again, and others end", async () => {
    const { fake, call, lost, upstream } = await start((request) => {
      const params = JSON.stringify(request.body["params"]);
      if (params.includes("open")) return startEvents(request.response);
      sendJson(request.response, rpcError(null, -32_001, "Session not found"), 404);
    });
    const open = call("open");
    await eventually(() => fake.received.some(({ rpc }) => rpc === "tools/call"));
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(await open).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(lost).toEqual(["the server does not know the session any more"]);
    expect(await call("y")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    await upstream.close();
    expect(fake.received.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(2);
    expect(fake.received.filter(({ method }) => method === "DELETE")).toHaveLength(0);
  });

  test("that forgot the session in several calls at once is lost once", async () => {
    const waiting: Received[] = [];
    const { call, lost } = await start((request) => {
      waiting.push(request);
      if (waiting.length < 2) return;
      for (const { response } of waiting) response.writeHead(404).end();
    });
    const replies = await Promise.all([call("x"), call("y")]);
    for (const reply of replies) {
      expect(reply).toMatchObject({ kind: "failed", code: "upstream_lost" });
    }
    expect(lost).toHaveLength(1);
  });

  test("that forgot the session and says so with status 400 is lost too", async () => {
    const { call, lost } = await start(({ response }) =>
      sendJson(response, rpcError(null, -32_000, "Bad Request: No valid session ID provided"), 400),
    );
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(lost).toHaveLength(1);
  });
});

describe("notifications on the stream of a call", () => {
  test("go to that call, whatever is newer", async () => {
    const open: Received[] = [];
    const { call } = await start((request) => {
      startEvents(request.response);
      request.response.flushHeaders();
      open.push(request);
      if (open.length < 2) return;
      const params = { level: "info", data: "for the older" };
      const [older] = open;
      if (older === undefined) return;
      sendEvent(older.response, { jsonrpc: "2.0", method: "notifications/message", params });
      void delay(50).then(() => {
        for (const { id, response } of open) {
          sendEvent(response, rpcResult(id, textResult("done")));
          response.end();
        }
      });
    });
    const heard: Record<string, ServerNotification[]> = { older: [], newer: [] };
    const listen = (who: string) => ({
      onNotification: (notice: ServerNotification) => void heard[who]?.push(notice),
    });
    const older = call("older", {}, listen("older"));
    await eventually(() => open.length === 1);
    await Promise.all([older, call("newer", {}, listen("newer"))]);
    expect(heard["older"]).toHaveLength(1);
    expect(heard["newer"]).toHaveLength(0);
  });
});
