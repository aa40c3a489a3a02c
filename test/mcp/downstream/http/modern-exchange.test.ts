/**
 * Modern requests that are served: statuses, streams, cancellation, and no session anywhere.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { eventually } from "../../../support/eventually.ts";
import { textResult, untilCancelled } from "./fake-gateway.ts";
import { beginSession, modern } from "./messages.ts";
import { openFront } from "./open-front.ts";

const callEcho = modern("tools/call", { name: "echo", arguments: { a: 1 } });

describe("a modern request", () => {
  test("is answered with one JSON object and no session", async () => {
    const front = await openFront();
    const answer = await front.send(callEcho);
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/json"]);
    expect(answer.headers["mcp-session-id"]).toBeUndefined();
    expect(answer.json.result?.content?.[0]?.text).toBe('alice {"a":1}');
    expect(answer.json.result?.resultType).toBe("complete");
  });

  test("is not helped or hindered by the session id of somebody else (B20)", async () => {
    const front = await openFront();
    const alice = await beginSession(front);
    const headers = {
      ...callEcho.headers,
      Authorization: "Bearer bob",
      "Mcp-Session-Id": alice["Mcp-Session-Id"],
      "Last-Event-ID": "x",
    };
    const answer = await front.send({ ...callEcho, headers });
    expect(answer.status).toBe(200);
    expect(answer.json.result?.content?.[0]?.text).toBe('bob {"a":1}');
  });

  test.each([
    ["an unknown method", -32_601, 404],
    ["a missing capability", -32_021, 400],
    ["an unknown tool", -32_602, 200],
    ["an internal error", -32_603, 200],
    ["an error of the server's own", 40_300, 200],
  ])("with %s has the status of its error", async (_, code, status) => {
    const front = await openFront({ act: () => ({ kind: "error", code, message: "no" }) });
    const answer = await front.send(callEcho);
    expect([answer.status, answer.json.id, answer.json.error?.code]).toEqual([status, 1, code]);
  });

  test.each(["initialize", "ping", "logging/setLevel", "resources/subscribe", "unknown/method"])(
    "%s is not there in this revision",
    async (method) => {
      const front = await openFront();
      const answer = await front.send(modern(method));
      expect([answer.status, answer.json.error?.code]).toEqual([404, -32_601]);
      expect(answer.headers["mcp-session-id"]).toBeUndefined();
    },
  );

  test.each(["GET", "DELETE"])("cannot be a %s", async (method) => {
    const front = await openFront();
    const headers = { "MCP-Protocol-Version": "2026-07-28" };
    const answer = await front.send({ method, headers });
    expect([answer.status, answer.headers.allow]).toEqual([405, "POST, OPTIONS"]);
  });

  test("that is a notification is taken without an answer", async () => {
    const front = await openFront();
    const headers = { "MCP-Protocol-Version": "2026-07-28" };
    const body = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
    expect(await front.send({ headers, body })).toMatchObject({ status: 202, text: "" });
  });

  test("that is a tools/call without an id is on record and never forwarded (B5)", async () => {
    const front = await openFront();
    const headers = { "MCP-Protocol-Version": "2026-07-28" };
    const params = { name: "echo", arguments: {} };
    const body = { jsonrpc: "2.0", method: "tools/call", params };
    expect((await front.send({ headers, body })).status).toBe(202);
    await eventually(() => front.malformed.length === 1);
    expect(front.actions).toHaveLength(0);
  });
});

describe("a modern request that says something before its answer", () => {
  test("gets a stream without event ids, which its answer ends", async () => {
    const front = await openFront({
      act: ({ onProgress }) => {
        onProgress?.({ progress: 1 });
        return textResult("done");
      },
    });
    const _meta = { ...Object(callEcho.body).params._meta, progressToken: "t" };
    const stream = await front.stream(modern("tools/call", { name: "echo", arguments: {}, _meta }));
    await stream.ended;
    expect([stream.status, stream.headers["content-type"]]).toEqual([200, "text/event-stream"]);
    expect(stream.headers["x-accel-buffering"]).toBe("no");
    expect(stream.messages().map(({ method, id }) => method ?? id)).toEqual([
      "notifications/progress",
      1,
    ]);
    expect(stream.events.every(({ id }) => id === undefined)).toBe(true);
  });

  test("gets a stream when it takes long, without an event before the answer", async () => {
    const front = await openFront({
      act: async () => {
        await delay(60);
        return textResult("slow");
      },
      limits: { modernStreamAfterMs: 10 },
    });
    const stream = await front.stream(callEcho);
    await stream.ended;
    expect(stream.events).toHaveLength(1);
    expect(stream.retries).toEqual([]);
  });

  test("never has an event cut in two by a line end in a result", async () => {
    const text = '{"content":[\r\n\n],"note":"a\\nb"}';
    const front = await openFront({
      act: ({ onProgress }) => {
        onProgress?.({ progress: 1 });
        const value = JSON.parse(text);
        return { kind: "result", origin: "upstream", bytes: Buffer.from(text), value };
      },
    });
    const _meta = { ...Object(callEcho.body).params._meta, progressToken: 1 };
    const stream = await front.stream(modern("tools/call", { name: "echo", arguments: {}, _meta }));
    await stream.ended;
    expect(stream.messages()).toHaveLength(2);
    expect(stream.messages()[1]?.result?.note).toBe("a\nb");
  });
});

describe("a modern client that closes the connection", () => {
  test("has cancelled its request, before the stream is open", async () => {
    const front = await openFront({ act: untilCancelled });
    const { port } = front;
    const controller = new AbortController();
    const pending = fetch(`http://127.0.0.1:${port}/mcp`, {
      method: "POST",
      headers: {
        ...Object.fromEntries(
          Object.entries(callEcho.headers ?? {}).map(([k, v]) => [k, String(v)]),
        ),
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(callEcho.body),
      signal: controller.signal,
    }).catch(() => undefined);
    await eventually(() => front.actions.length === 1);
    expect(front.actions[0]?.signal.aborted).toBe(false);
    controller.abort();
    await pending;
    await eventually(() => front.actions[0]?.signal.aborted === true);
  });

  test("has ended its subscription", async () => {
    const front = await openFront();
    const stream = await front.stream(modern("subscriptions/listen", { notifications: {} }));
    await eventually(() => stream.messages().length === 1);
    stream.disconnect();
    await eventually(() => front.ears.size === 0);
    expect(stream.messages()).toHaveLength(1);
  });
});

describe("subscriptions/listen", () => {
  test("stays open, says first what it honours, and then what was asked for", async () => {
    const front = await openFront();
    const wanted = { notifications: { toolsListChanged: true } };
    const stream = await front.stream(modern("subscriptions/listen", wanted));
    await eventually(() => stream.messages().length === 1);
    front.announce("notifications/prompts/list_changed");
    front.announce("notifications/tools/list_changed");
    await eventually(() => stream.messages().length === 2);
    expect(stream.messages().map(({ method }) => method)).toEqual([
      "notifications/subscriptions/acknowledged",
      "notifications/tools/list_changed",
    ]);
  });

  test("is kept open through quiet times by comments", async () => {
    const front = await openFront({ limits: { commentEveryMs: 20 } });
    const stream = await front.stream(modern("subscriptions/listen", { notifications: {} }));
    await eventually(() => stream.comments.length > 2);
    expect(stream.messages()).toHaveLength(1);
  });
});
