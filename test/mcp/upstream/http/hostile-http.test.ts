import { describe, expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { freePort } from "../../../support/free-port.ts";
import type { Received } from "./fake-upstream.ts";
import {
  connect,
  greetModern,
  rpcError,
  rpcResult,
  sendEvent,
  sendJson,
  startEvents,
  startFake,
  textResult,
} from "./fake-upstream.ts";

const secret = "canary-7f3a";

async function start(answer: (request: Received) => void, settings: object = {}) {
  const fake = await startFake((request) => {
    if (!greetModern(request)) answer(request);
  });
  return { fake, ...(await connect({ url: fake.url, protocol: "modern", ...settings })) };
}

const done = ({ id, response }: Received): void =>
  sendJson(response, rpcResult(id, textResult("done")));

describe("an upstream over HTTP that answers what is no answer fails its call", () => {
  test.each<[string, (request: Received) => void, string, RegExp]>([
    ["no JSON", ({ response }) => sendJson(response, "oops"), "upstream_garbage", /malformed/],
    [
      "another id",
      ({ response }) => sendJson(response, rpcResult(999, {})),
      "upstream_garbage",
      /malformed/,
    ],
    [
      "a batch",
      ({ id, response }) => sendJson(response, [rpcResult(id, {})]),
      "upstream_garbage",
      /malformed/,
    ],
    [
      "two results",
      ({ id, response }) =>
        sendJson(response, `{"jsonrpc":"2.0","id":${String(id)},"result":{},"result":{}}`),
      "upstream_garbage",
      /malformed/,
    ],
    ["status 202", ({ response }) => void response.writeHead(202).end(), "upstream_garbage", /202/],
    [
      "HTML",
      ({ response }) => void response.writeHead(200, { "content-type": "text/html" }).end("<p>"),
      "upstream_garbage",
      /neither JSON nor an event stream/,
    ],
    ["status 400", ({ response }) => void response.writeHead(400).end(), "upstream_garbage", /400/],
    ["status 429", ({ response }) => void response.writeHead(429).end(), "upstream_busy", /429/],
    [
      "status 502",
      ({ id, response }) => sendJson(response, rpcError(id, -1, "x"), 502),
      "upstream_lost",
      /HTTP status 502/,
    ],
    [
      "a cut connection",
      ({ response }) => void response.destroy(),
      "upstream_lost",
      /HTTP request failed/,
    ],
    [
      "half an answer",
      ({ response }) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
        response.write('{"jsonrpc":', () => response.destroy());
      },
      "upstream_lost",
      /./,
    ],
  ])("%s", async (_, answer, code, message) => {
    let isHostile = true;
    const { call } = await start((request) => (isHostile ? answer(request) : done(request)));
    expect(await call("x")).toMatchObject({
      kind: "failed",
      code,
      message: expect.stringMatching(message),
    });
    isHostile = false;
    expect((await call("x")).kind).toBe("result");
  });

  test("garbage among the events of a stream is reported and the answer still taken", async () => {
    const { call, log } = await start(({ id, response }) => {
      startEvents(response);
      sendEvent(response, "this is no JSON");
      sendEvent(response, rpcResult(id, textResult("after garbage")));
      response.end();
    });
    expect(JSON.stringify(await call("x"))).toContain("after garbage");
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: "upstream sent what is no message" }),
    );
  });
});

describe("an upstream over HTTP that answers too much fails that call alone", () => {
  const huge = "x".repeat(33 * 1024 * 1024);

  test.each<[string, (request: Received) => void]>([
    ["as JSON", ({ id, response }) => sendJson(response, rpcResult(id, textResult(huge)))],
    [
      "as an event",
      ({ id, response }) => {
        startEvents(response);
        sendEvent(response, rpcResult(id, textResult(huge)));
        response.end();
      },
    ],
    [
      "as an event that never ends",
      ({ response }) => {
        startEvents(response);
        response.write("data: ");
        response.write(huge);
        response.write("\n\n");
      },
    ],
  ])("%s", async (_, answer) => {
    let isHostile = true;
    const { call, log } = await start((request) => (isHostile ? answer(request) : done(request)));
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_oversize" });
    isHostile = false;
    expect((await call("x")).kind).toBe("result");
    expect(JSON.stringify(log.lines).length).toBeLessThan(10_000);
  });

  test("in its headers", async () => {
    const { call } = await start(({ response }) => {
      response.writeHead(200, { "x-large": "y".repeat(70 * 1024) }).end();
    });
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_lost" });
  });
});

describe("an upstream over HTTP", () => {
  test("that is not there is an error at the start that says why", async () => {
    const url = `http://127.0.0.1:${await freePort()}/mcp`;
    await expect(connect({ url })).rejects.toMatchObject({
      code: "upstream_start_failed",
      message: expect.stringMatching(/ECONNREFUSED.*servers\.fake\.url/),
    });
  });

  test("with a header that cannot be sent is an error at the start, without its value", async () => {
    const fake = await startFake(() => {});
    const connecting = connect({ url: fake.url, headers: { "X-Key": `${secret}\r\nX: y` } });
    await expect(connecting).rejects.toMatchObject({ code: "upstream_start_failed" });
    await expect(connecting).rejects.not.toThrow(secret);
    expect(fake.received).toEqual([]);
  });

  test("that went away was sent nothing, and the call says so", async () => {
    const { fake, call, lost } = await start(done);
    await fake.close();
    expect(await call("x")).toMatchObject({ kind: "failed", code: "upstream_unavailable" });
    expect(lost).toEqual([]);
  });

  test("gets at most 56 calls at a time, and the rest when there is room", async () => {
    const waiting: Received[] = [];
    const { fake, call } = await start((request) => void waiting.push(request));
    const replies = Array.from({ length: 70 }, (_, index) => call(`t${index}`));
    await eventually(() => waiting.length === 56);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(waiting).toHaveLength(56);
    expect(fake.sockets()).toBeLessThanOrEqual(64);
    while (waiting.length > 0) for (const request of waiting.splice(0)) done(request);
    await eventually(() => {
      for (const request of waiting.splice(0)) done(request);
      return fake.received.length === 71;
    });
    for (const request of waiting.splice(0)) done(request);
    const kinds = (await Promise.all(replies)).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["result"]));
  });

  test("whose stream stays open behind the answer does not keep the socket", async () => {
    let isClosed = false;
    const { call } = await start(({ id, response }) => {
      startEvents(response);
      sendEvent(response, rpcResult(id, textResult("done")));
      response.on("close", () => {
        isClosed = true;
      });
    });
    expect((await call("x")).kind).toBe("result");
    await eventually(() => isClosed, 5000);
  });

  test("sees two requests of equal JSON-RPC ids on two connections apart", async () => {
    const fake = await startFake((request) => {
      if (greetModern(request)) return;
      sendJson(request.response, rpcResult(request.id, textResult(JSON.stringify(request.body))));
    });
    const [first, second] = await Promise.all([
      connect({ url: fake.url, protocol: "modern" }),
      connect({ url: fake.url, protocol: "modern" }),
    ]);
    const [one, two] = await Promise.all([first.call("of-first"), second.call("of-second")]);
    expect(JSON.stringify(one)).toContain("of-first");
    expect(JSON.stringify(one)).not.toContain("of-second");
    expect(JSON.stringify(two)).toContain("of-second");
  });
});
