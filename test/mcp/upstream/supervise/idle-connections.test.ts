import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ask, createFakeUpstream, done, failure } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a connection that nobody needs", () => {
  test("is closed after the idle time, which is no loss and no restart", async () => {
    const { server, connections, lost, heard } = createFakeUpstream({
      idleTimeoutMs: 5000,
      answer: () => done,
    });
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(4000);
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(4999);
    expect(connections[0]?.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(connections[0]?.isClosed).toBe(true);
    expect(server.status()).toMatchObject({ state: "idle", connections: 0, lastError: undefined });
    expect(await server.request("a", {}, ask())).toEqual(done);
    expect(lost).toEqual([]);
    expect(heard).toEqual(["connected a", "stopped a", "connected a"]);
    expect(server.status()).toMatchObject({ restarts: 0, connections: 1 });
  });

  test("stays where the idle time is 0", async () => {
    const { server, connections } = createFakeUpstream({ idleTimeoutMs: 0, answer: () => done });
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(connections[0]?.isClosed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is one without a running request, however long that takes", async () => {
    const { server, connections } = createFakeUpstream({ idleTimeoutMs: 5000 });
    void server.request("a", {}, ask("subscriptions/listen", { timeoutMs: Infinity }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections[0]?.isClosed).toBe(false);
    for (const { end } of connections[0]?.open ?? []) end(done);
    await vi.advanceTimersByTimeAsync(5000);
    expect(connections[0]?.isClosed).toBe(true);
  });

  test("is none any more when a request comes at the last moment", async () => {
    const { server, connections } = createFakeUpstream({
      idleTimeoutMs: 5000,
      answer: ({ method }) => (method === "quick" ? done : undefined),
    });
    await server.request("a", {}, ask("quick"));
    await vi.advanceTimersByTimeAsync(4999);
    void server.request("a", {}, ask("long"));
    await vi.advanceTimersByTimeAsync(5000);
    expect(connections[0]?.isClosed).toBe(false);
  });

  test("is one that nobody holds", async () => {
    const { server, connections } = createFakeUpstream({ idleTimeoutMs: 5000, answer: () => done });
    const release = [server.hold("a", {}), server.hold("a", {})];
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(60_000);
    release[0]?.();
    release[0]?.();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections[0]?.isClosed).toBe(false);
    release[1]?.();
    await vi.advanceTimersByTimeAsync(5000);
    expect(connections[0]?.isClosed).toBe(true);
  });

  test("is closed before the next one of its key starts", async () => {
    let closeNow = (): void => {};
    const { server, starts, connections } = createFakeUpstream({
      idleTimeoutMs: 5000,
      answer: () => done,
      closing: () => new Promise((resolve) => (closeNow = resolve)),
    });
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(5000);
    const reply = server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1000);
    expect(connections[0]?.isClosed).toBe(true);
    expect(starts).toHaveLength(1);
    closeNow();
    expect(await reply).toEqual(done);
    expect(starts).toHaveLength(2);
  });

  test("that does not close is left behind after ten seconds, which is an error", async () => {
    const { server, starts, log } = createFakeUpstream({
      idleTimeoutMs: 1000,
      startTimeoutMs: 30_000,
      closing: () => new Promise(() => {}),
      answer: () => done,
    });
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1000);
    const reply = server.request("a", {}, ask("tools/call", { timeoutMs: 60_000 }));
    await vi.advanceTimersByTimeAsync(9999);
    expect(starts).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await reply).toEqual(done);
    expect(log.lines).toContainEqual({
      level: "error",
      data: { afterMs: 10_000 },
      message: "upstream connection does not close; left behind",
    });
  });
});

describe("the number of connections", () => {
  test("is kept by closing the one that has been idle longest", async () => {
    const { server, connections } = createFakeUpstream({ maxConnections: 2, answer: () => done });
    for (const key of ["a", "b", "a", "c"]) {
      await server.request(key, {}, ask());
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(connections.map(({ key, isClosed }) => [key, isClosed])).toEqual([
      ["a", false],
      ["b", true],
      ["c", false],
    ]);
    expect(server.status().connections).toBe(2);
  });

  test("is refused one more where all are used or starting", async () => {
    const { server, starts } = createFakeUpstream({ maxConnections: 3, isManual: true });
    for (const [index, key] of ["used", "also used"].entries()) {
      void server.request(key, {}, ask());
      starts[index]?.succeed();
    }
    await vi.advanceTimersByTimeAsync(1);
    void server.request("starting", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    expect(await server.request("more", {}, ask())).toMatchObject({
      code: "upstream_busy",
      message: "all of its 3 connections are in use by other sessions; repeat this one later",
    });
    expect(starts).toHaveLength(3);
  });

  test("takes one that is only held from whoever has said nothing for longest", async () => {
    const { server, connections } = createFakeUpstream({ maxConnections: 2, answer: () => done });
    for (const key of ["a", "b"]) {
      server.hold(key, {});
      await server.request(key, {}, ask());
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(await server.request("c", {}, ask())).toEqual(done);
    expect(connections.map(({ key, isClosed }) => [key, isClosed])).toEqual([
      ["a", true],
      ["b", false],
      ["c", false],
    ]);
  });

  test("spares those that are held where one is not", async () => {
    const { server, connections } = createFakeUpstream({ maxConnections: 2, answer: () => done });
    server.hold("held", {});
    for (const key of ["held", "idle", "new"]) {
      await server.request(key, {}, ask());
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(connections.map(({ key, isClosed }) => [key, isClosed])).toEqual([
      ["held", false],
      ["idle", true],
      ["new", false],
    ]);
  });

  test("does not make a key forgotten that fails", async () => {
    const { server } = createFakeUpstream({
      idleTimeoutMs: 10,
      answer: ({ method }) => (method === "bad" ? failure("upstream_unavailable") : done),
    });
    for (let index = 0; index < 5; index += 1) await server.request("a", {}, ask("bad"));
    for (let index = 0; index < 200; index += 1) {
      await server.request(`key ${index}`, {}, ask());
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(await server.request("a", {}, ask())).toMatchObject({ code: "upstream_unavailable" });
  });

  test("of keys that are kept in mind does not grow with those that came and went", async () => {
    const { server } = createFakeUpstream({ idleTimeoutMs: 10, answer: () => done });
    for (let index = 0; index < 1000; index += 1) {
      await server.request(`key ${index}`, {}, ask());
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(server.status().connections).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(server.status().keys).toBeLessThanOrEqual(64);
  });
});
