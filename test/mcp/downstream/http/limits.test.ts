/**
 * What one client cannot do to the others: keep everything in flight, or never read.
 */
import { describe, expect, test } from "vitest";
import { serveHttp } from "../../../../src/mcp/downstream/http/serve-http.ts";
import { eventually } from "../../../support/eventually.ts";
import { createTestLog } from "../../../support/log.ts";
import { createFakeGateway, textResult, untilCancelled } from "./fake-gateway.ts";
import { beginSession, call, modern } from "./messages.ts";
import { authenticate, openFront } from "./open-front.ts";

const callEcho = modern("tools/call", { name: "echo", arguments: {} });

describe("requests in flight", () => {
  test("are bounded for a principal, and only for that one", async () => {
    const front = await openFront({ act: untilCancelled, limits: { maxInFlightPerPrincipal: 2 } });
    const held = [front.send(callEcho), front.send(callEcho)];
    await eventually(() => front.actions.length === 2);
    const refused = await front.send(callEcho);
    expect([refused.status, refused.json.id, refused.headers["retry-after"]]).toEqual([
      429,
      1,
      "1",
    ]);
    const bob = { ...callEcho.headers, Authorization: "Bearer bob" };
    const other = front.send({ ...callEcho, headers: bob });
    await eventually(() => front.actions.length === 3);
    await front.close();
    await Promise.allSettled([...held, other]);
  });

  test("are bounded for a session", async () => {
    const front = await openFront({ act: untilCancelled, limits: { maxInFlightPerSession: 1 } });
    const headers = await beginSession(front);
    const held = front.send({ headers, body: call(1) });
    await eventually(() => front.actions.length === 1);
    const refused = await front.send({ headers, body: call(2) });
    expect([refused.status, refused.json.id]).toEqual([429, 2]);
    const another = await beginSession(front);
    const other = front.send({ headers: another, body: call(2) });
    await eventually(() => front.actions.length === 2);
    await front.close();
    await Promise.allSettled([held, other]);
  });

  test("are counted down when they end, however they end", async () => {
    const front = await openFront({ limits: { maxInFlightPerPrincipal: 1 } });
    for (let round = 0; round < 5; round += 1) {
      expect((await front.send(callEcho)).status).toBe(200);
      expect((await front.send({ ...callEcho, body: "{" })).status).toBe(400);
    }
  });
});

describe("a client that does not read", () => {
  const block = "x".repeat(64 * 1024);

  test("gets no more progress, and is cut above the limit of what it leaves unread", async () => {
    let dropped = 0;
    const front = await openFront({
      act: async ({ onNotification, signal }) => {
        for (let count = 0; count < 400 && !signal.aborted; count += 1) {
          onNotification({
            method: "notifications/message",
            params: { level: "info", data: block },
          });
          dropped += 1;
          await new Promise((resolve) => setImmediate(resolve));
        }
        return textResult("end");
      },
      limits: { maxUnreadBytes: 1024 * 1024 },
    });
    const headers = await beginSession(front);
    const stream = await front.stream({ headers, body: call(1) });
    stream.response.pause();
    await eventually(() => dropped === 400);
    stream.response.resume();
    await stream.ended;
    expect(stream.messages().length).toBeLessThan(400);
    expect(stream.messages().at(-1)).toMatchObject({ id: 1 });
  });

  test("of what belongs to no request loses its connection", async () => {
    const front = await openFront({ limits: { maxUnreadBytes: 256 * 1024 } });
    const headers = await beginSession(front);
    const stream = await front.stream({ method: "GET", headers });
    stream.response.pause();
    for (let count = 0; count < 400; count += 1) {
      front.announce("notifications/message", { level: "info", data: block });
    }
    stream.response.resume();
    await stream.ended;
    expect(stream.messages().length).toBeLessThan(400);
    expect((await front.send({ headers, body: call(1) })).status).toBe(200);
  });
});

describe("the replay of what was missed", () => {
  test("is bounded by the number of events", async () => {
    const front = await openFront({ limits: { replayEvents: 3 } });
    const headers = await beginSession(front);
    const stream = await front.stream({ method: "GET", headers });
    await eventually(() => stream.events.length === 1);
    for (let count = 1; count <= 10; count += 1) {
      front.announce("notifications/message", { level: "info", data: count });
    }
    await eventually(() => stream.messages().length === 10);
    stream.disconnect();
    const last = { ...headers, "Last-Event-ID": stream.events[0]?.id };
    const again = await front.stream({ method: "GET", headers: last });
    await eventually(() => again.messages().length === 3);
    expect(again.messages().map(({ params }) => params?.data)).toEqual([8, 9, 10]);
  });
});

describe("listening", () => {
  function listenOn(host: string, port = 0): ReturnType<typeof serveHttp> {
    return serveHttp({
      gateway: createFakeGateway().gateway,
      log: createTestLog(),
      clock: { nowMs: () => 0, monotonicMs: () => 0 },
      http: {
        publicUrl: undefined,
        allowedHosts: [],
        allowedOrigins: [],
        maxBodyBytes: 1024,
        maxSessions: 1,
        sessionIdleMs: 1000,
        authorization: undefined,
      },
      authenticate,
      protectedResourceMetadata: undefined,
      readiness: () => "ready",
      listen: { host, port },
    });
  }

  test.each(["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1.example"])(
    "on %j without authorization is refused before it begins",
    async (host) => {
      await expect(listenOn(host)).rejects.toMatchObject({ code: "http_needs_authorization" });
    },
  );

  test("on a port that is taken says so", async () => {
    const front = await openFront();
    await expect(listenOn("127.0.0.1", front.port)).rejects.toMatchObject({
      code: "http_listen_failed",
    });
  });

  test.each(["localhost", "127.0.0.1"])("on %s is fine", async (host) => {
    const front = await listenOn(host);
    expect(front.url).toBe(`http://${host}:${front.port}/mcp`);
    await front.close();
  });
});
