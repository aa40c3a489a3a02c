import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { ServerNotification } from "../../../../src/mcp/upstream/upstream-connection.ts";
import type { Era } from "../../../../src/mcp/wire/method-table.ts";
import { eventually } from "../../../support/eventually.ts";
import type { Received } from "./fake-upstream.ts";
import {
  connect,
  greetLegacy,
  greetModern,
  rpcError,
  rpcResult,
  sendEvent,
  sendJson,
  startEvents,
  startFake,
  textResult,
} from "./fake-upstream.ts";

async function start(answer: (request: Received) => void) {
  const fake = await startFake((request) => {
    if (!greetModern(request)) answer(request);
  });
  return { fake, ...(await connect({ url: fake.url, protocol: "modern" })) };
}

const done = ({ id, response }: Received): void =>
  sendJson(response, rpcResult(id, textResult("done")));

describe("a modern server over HTTP", () => {
  test("gets method, name and parameters in headers, and neither session nor standing stream", async () => {
    const { fake, call, upstream } = await start(done);
    const headers = {
      "Mcp-Param-Region": "zürich",
      "Mcp-Param-Size": "42",
      "Mcp-Method": "forged",
      Cookie: "forged",
    };
    await call("héllo", {}, { headers });
    await upstream.request({ method: "tools/list", params: {}, timeoutMs: 5000 });
    await upstream.close();
    const [discover, called, listed, ...others] = fake.received;
    expect(others).toEqual([]);
    expect(discover?.headers).toMatchObject({
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "server/discover",
    });
    expect(called?.headers).toMatchObject({
      "mcp-method": "tools/call",
      "mcp-name": "=?base64?aMOpbGxv?=",
      "mcp-param-region": "=?base64?esO8cmljaA==?=",
      "mcp-param-size": "42",
    });
    expect(JSON.stringify(called?.body)).toContain(
      '"io.modelcontextprotocol/protocolVersion":"2026-07-28"',
    );
    expect(called?.headers).not.toHaveProperty("cookie");
    expect(listed?.headers).not.toHaveProperty("mcp-name");
    expect(listed?.headers).not.toHaveProperty("mcp-session-id");
  });

  test("is told of a cancellation by the end of its stream, and by nothing else", async () => {
    let isClosed = false;
    const { fake, call } = await start(({ response }) => {
      startEvents(response);
      response.flushHeaders();
      response.on("close", () => {
        isClosed = true;
      });
    });
    const stop = new AbortController();
    const reply = call("x", {}, { signal: stop.signal });
    await eventually(() => fake.received.length === 2);
    stop.abort();
    expect(await reply).toMatchObject({ kind: "failed", code: "cancelled" });
    await eventually(() => isClosed);
    expect(fake.received).toHaveLength(2);
  });

  test("whose stream broke has lost the call; nothing is resumed, and nothing sent again", async () => {
    const { fake, call } = await start(({ response }) => {
      startEvents(response);
      response.write("retry: 1\nid: e-1\ndata:\n\n");
      response.end();
    });
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_lost" });
    expect(fake.received).toHaveLength(2);
  });

  test("that sends a request is not answered, and asks nobody", async () => {
    const { fake, call, log } = await start(({ id, response }) => {
      startEvents(response);
      sendEvent(response, { jsonrpc: "2.0", id: 1, method: "roots/list" });
      sendEvent(response, rpcResult(id, textResult("done")));
      response.end();
    });
    const onRequest = () => Promise.reject(new Error("somebody was asked"));
    expect((await call("x", {}, { onRequest })).kind).toBe("result");
    await delay(100);
    expect(fake.received).toHaveLength(2);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: "request of an upstream refused" }),
    );
  });

  test("keeps a subscription open, whose stream says whose it is", async () => {
    let listening: Received | undefined;
    const { upstream } = await start((request) => {
      listening = request;
      startEvents(request.response);
      const params = { _meta: { "io.modelcontextprotocol/subscriptionId": request.id } };
      sendEvent(request.response, {
        jsonrpc: "2.0",
        method: "notifications/subscriptions/acknowledged",
        params,
      });
      sendEvent(request.response, {
        jsonrpc: "2.0",
        method: "notifications/tools/list_changed",
        params,
      });
    });
    const heard: ServerNotification[] = [];
    const reply = upstream.request({
      method: "subscriptions/listen",
      params: { notifications: '{"toolsListChanged":true}' },
      timeoutMs: Infinity,
      onNotification: (notice) => void heard.push(notice),
    });
    await eventually(() => heard.length === 2);
    expect(heard.map(({ method }) => method)).toEqual([
      "notifications/subscriptions/acknowledged",
      "notifications/tools/list_changed",
    ]);
    if (listening !== undefined) {
      sendEvent(listening.response, rpcResult(listening.id, { resultType: "complete" }));
      listening.response.end();
    }
    expect((await reply).kind).toBe("result");
  });

  test("passes its own errors, whatever their status", async () => {
    const { call } = await start(({ id, response }) =>
      sendJson(response, rpcError(id, -32_020, "Header mismatch", { a: 1 }), 400),
    );
    expect(await call("x")).toEqual({
      kind: "error",
      error: { code: -32_020, message: "Header mismatch", data: { a: 1 } },
    });
  });
});

describe("the era of a server over HTTP", () => {
  async function find(answer: (request: Received) => void, known?: Era) {
    const learned: Era[] = [];
    const fake = await startFake(answer);
    const rememberEra = { known, learned: (era: Era) => void learned.push(era) };
    const connected = await connect({ url: fake.url, rememberEra });
    return { fake, learned, ...connected };
  }

  const legacy =
    (discover: (request: Received) => void) =>
    (request: Received): void => {
      if (!greetLegacy(request)) discover(request);
    };

  test("is modern where the question is answered", async () => {
    const { upstream, learned } = await find((request) => void greetModern(request));
    expect(upstream.greeting.era).toBe("modern");
    expect(learned).toEqual(["modern"]);
  });

  test.each<[string, (request: Received) => void]>([
    ["400 and no body", ({ response }) => void response.writeHead(400).end()],
    [
      "400 and an error of its own",
      ({ response }) => sendJson(response, rpcError(null, -32_000, "no session"), 400),
    ],
    ["404", ({ response }) => void response.writeHead(404).end("<html>")],
    [
      "404 and an unknown method",
      ({ id, response }) => sendJson(response, rpcError(id, -32_601, "Method not found"), 404),
    ],
    ["405", ({ response }) => void response.writeHead(405).end()],
    [
      "200 and an unknown method",
      ({ id, response }) => sendJson(response, rpcError(id, -32_601, "Method not found")),
    ],
    [
      "legacy versions that it supports",
      ({ id, response }) =>
        sendJson(response, rpcError(id, -32_022, "no", { supported: ["2025-06-18"] }), 400),
    ],
  ])("is legacy where the question is answered with %s", async (_, answer) => {
    const { upstream, learned } = await find(legacy(answer));
    expect(upstream.greeting.era).toBe("legacy");
    expect(learned).toEqual(["legacy"]);
  });

  test.each([
    [500, "upstream_start_failed", /HTTP status 500/],
    [503, "upstream_start_failed", /HTTP status 503/],
    [401, "upstream_unauthorized", /HTTP status 401/],
    [403, "upstream_unauthorized", /HTTP status 403/],
  ])("is not judged by status %s", async (status, code, message) => {
    const methods: string[] = [];
    const answer = ({ rpc, response }: Received): void => {
      methods.push(rpc);
      response.writeHead(status).end();
    };
    await expect(find(answer)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(methods).toEqual(["server/discover"]);
  });

  test("is not judged by silence", async () => {
    const fake = await startFake(() => {});
    await expect(connect({ url: fake.url, startTimeoutMs: 400 })).rejects.toMatchObject({
      code: "upstream_start_failed",
      message: expect.stringMatching(/no answer within|did not finish in time/),
    });
    expect(fake.received.map(({ rpc }) => rpc)).toEqual(["server/discover"]);
  });

  test("is not asked for where it is known, and found anew where that is wrong", async () => {
    const known = await find(
      legacy(() => {}),
      "legacy",
    );
    expect(known.fake.received[0]?.rpc).toBe("initialize");
    const upgraded = await find((request) => {
      if (!greetModern(request))
        sendJson(request.response, rpcError(request.id, -32_022, "no"), 400);
    }, "legacy");
    expect(upgraded.upstream.greeting.era).toBe("modern");
    expect(upgraded.learned).toEqual(["modern"]);
  });
});
