import { describe, expect, test } from "vitest";
import type {
  ClientAnswer,
  ServerRequest,
} from "../../../../src/mcp/upstream/upstream-connection.ts";
import { eventually } from "../../../support/eventually.ts";
import type { Received } from "./fake-upstream.ts";
import {
  connect,
  greetLegacy,
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

describe("a stream that broke", () => {
  test("is resumed from its last event, after the time that the server asked for", async () => {
    const resumed: Received["headers"][] = [];
    let callId: unknown;
    const fake = await startFake((request) => {
      const { method, headers, response, id } = request;
      const lastEventId = headers["last-event-id"];
      if (method === "GET" && lastEventId !== undefined) {
        resumed.push(headers);
        startEvents(response);
        if (resumed.length === 1) {
          sendEvent(response, "", "e-2");
          return void response.end();
        }
        sendEvent(response, rpcResult(callId, textResult("resumed")), "e-3");
        return void response.end();
      }
      if (greetLegacy(request)) return;
      callId = id;
      startEvents(response);
      response.write("retry: 300\nid: e-1\ndata:\n\n");
      response.end();
    });
    const { call, log } = await connect({ url: fake.url, protocol: "legacy" });
    const startedMs = performance.now();
    expect(JSON.stringify(await call("x"))).toContain("resumed");
    expect(performance.now() - startedMs).toBeGreaterThan(590);
    expect(resumed.map((headers) => headers["last-event-id"])).toEqual(["e-1", "e-2"]);
    const waits = log.lines.filter(({ message }) => message.includes("resuming"));
    expect(waits.map(({ data }) => data)).toMatchObject([{ wait_ms: 300 }, { wait_ms: 300 }]);
    expect(fake.received.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(1);
  });

  test("without an event id is a lost call, which is not sent again", async () => {
    const { fake, call } = await start(({ response }) => {
      startEvents(response);
      response.write(": nothing yet\n\n");
      response.end();
    });
    expect(await call("x")).toMatchObject({
      kind: "failed",
      code: "upstream_lost",
      message: "the stream ended before the answer",
    });
    expect(fake.received.filter(({ rpc }) => rpc === "tools/call")).toHaveLength(1);
  });

  test("that the server does not resume is a lost call", async () => {
    const { call } = await start(({ response }) => {
      startEvents(response);
      response.write("retry: 1\nid: e-1\ndata:\n\n");
      response.destroy();
    });
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_lost" });
  });
});

describe("the standing stream", () => {
  test("is opened after the handshake and heard; answers on it end nothing", async () => {
    let stream: Received | undefined;
    const waiting: Received[] = [];
    const fake = await startFake((request) => {
      if (request.method === "GET") {
        stream = request;
        startEvents(request.response);
        sendEvent(request.response, { jsonrpc: "2.0", method: "notifications/tools/list_changed" });
        return;
      }
      if (!greetLegacy(request)) waiting.push(request);
    });
    const { heard, call } = await connect({ url: fake.url, protocol: "legacy" });
    await eventually(() => heard.length === 1);
    const reply = call("x", {}, { timeoutMs: 400 });
    await eventually(() => waiting.length === 1);
    if (stream !== undefined) {
      sendEvent(stream.response, rpcResult(waiting[0]?.id, textResult("forged")));
    }
    expect(await reply).toMatchObject({ kind: "failed", code: "upstream_timeout" });
  });

  test("is opened again where it ended, from its last event", async () => {
    let opened = 0;
    const fake = await startFake((request) => {
      if (request.method !== "GET") return void greetLegacy(request);
      opened += 1;
      startEvents(request.response);
      const notice = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
      sendEvent(request.response, notice, `g-${opened}`);
      if (opened === 1) request.response.end();
    });
    const { heard } = await connect({ url: fake.url, protocol: "legacy" });
    await eventually(() => heard.length === 2);
    const gets = fake.received.filter(({ method }) => method === "GET");
    expect(gets.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "g-1"]);
  });

  test("carries requests for the newest open call, since servers ask there in the middle of one", async () => {
    let stream: Received | undefined;
    let calling: Received | undefined;
    const fake = await startFake((request) => {
      if (request.method === "GET") {
        stream = request;
        startEvents(request.response);
        return request.response.flushHeaders();
      }
      if (greetLegacy(request)) return;
      if (request.rpc === "tools/call") {
        calling = request;
        if (stream === undefined) throw new Error("expected the stream first");
        sendEvent(stream.response, {
          jsonrpc: "2.0",
          id: 7,
          method: "elicitation/create",
          params: { message: "?" },
        });
        return;
      }
      request.response.writeHead(202).end();
      if (calling !== undefined) {
        sendJson(calling.response, rpcResult(calling.id, textResult(JSON.stringify(request.body))));
      }
    });
    const { call } = await connect({ url: fake.url, protocol: "legacy" });
    await eventually(() => stream !== undefined);
    const onRequest = async ({ method }: ServerRequest): Promise<ClientAnswer> => ({
      kind: "result",
      resultJson: JSON.stringify({ action: "decline", method }),
    });
    const reply = JSON.stringify(await call("x", {}, { onRequest }));
    expect(reply).toContain("elicitation/create");
    expect(reply).toContain("decline");
  });
});
