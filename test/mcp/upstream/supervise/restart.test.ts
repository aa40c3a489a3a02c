import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ask, createFakeUpstream, done } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a lost connection", () => {
  test("is started anew by the next request, at once where it had lasted", async () => {
    const { server, connections, lost, log } = createFakeUpstream({ answer: () => done });
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(10_000);
    connections[0]?.lose("exited with code 1");
    expect(server.status()).toMatchObject({ connections: 0, lastError: { code: "upstream_lost" } });
    expect(lost).toEqual(["a: exited with code 1"]);
    expect(log.lines.map(({ message }) => message)).toContain("upstream connection lost");
    expect(connections[0]?.isClosed).toBe(true);
    expect(await server.request("a", {}, ask())).toEqual(done);
    expect(connections).toHaveLength(2);
    expect(server.status().restarts).toBe(1);
  });

  test("fails what was under way, which is not sent again", async () => {
    const { server, connections } = createFakeUpstream();
    const reply = server.request("a", {}, ask("one"));
    await vi.advanceTimersByTimeAsync(5000);
    connections[0]?.lose("exited with code 1");
    expect(await reply).toMatchObject({ code: "upstream_lost" });
    void server.request("a", {}, ask("two"));
    await vi.advanceTimersByTimeAsync(1000);
    expect(connections.map(({ sent }) => sent)).toEqual([["one"], ["two"]]);
  });

  test("waits longer and longer where it is lost right after its start", async () => {
    const { server, connections } = createFakeUpstream({ answer: () => done });
    await server.request("a", {}, ask());
    const waitsMs: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      connections.at(-1)?.lose("exited with code 1");
      const lostAtMs = Date.now();
      expect(server.status().state).toBe("backing_off");
      const reply = server.request("a", {}, ask()).then(() => waitsMs.push(Date.now() - lostAtMs));
      await vi.advanceTimersByTimeAsync(2000);
      await reply;
    }
    expect(waitsMs).toEqual([250, 500, 1000, 2000]);
    connections.at(-1)?.lose("exited with code 1");
    expect(await server.request("a", {}, ask())).toMatchObject({
      code: "upstream_unavailable",
      message: "it ended or did not start (upstream_lost); it is tried again in 4 s",
    });
    expect(server.status()).toMatchObject({ restarts: 4, queued: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits no more once a start has lasted", async () => {
    const { server, connections } = createFakeUpstream({ answer: () => done });
    await server.request("a", {}, ask());
    connections[0]?.lose("exited with code 1");
    await vi.advanceTimersByTimeAsync(250);
    await server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(10_000);
    connections[1]?.lose("exited with code 1");
    expect(await server.request("a", {}, ask())).toEqual(done);
    connections[2]?.lose("exited with code 1");
    await vi.advanceTimersByTimeAsync(250);
    expect(await server.request("a", {}, ask())).toEqual(done);
    expect(connections).toHaveLength(4);
  });

  test("that is reported only after it was replaced is nobody's loss", async () => {
    const { server, connections, lost } = createFakeUpstream({ answer: () => done });
    await server.request("a", {}, ask());
    server.end("a");
    connections[0]?.events.onLost("exited with code 0");
    await server.request("a", {}, ask());
    connections[0]?.events.onLost("exited with code 0");
    expect(lost).toEqual([]);
    expect(server.status()).toMatchObject({ connections: 1, lastError: undefined });
  });
});

describe("a start that failed", () => {
  test("is answered with its reason, and tried again after a random part of the window", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, random: () => 0.5 });
    const reply = server.request("a", {}, ask());
    starts[0]?.fail("upstream_start_failed");
    expect(await reply).toMatchObject({
      code: "upstream_unavailable",
      message: "it did not start: upstream_start_failed",
    });
    void server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(124);
    expect(starts).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(starts).toHaveLength(2);
  });

  test("holds back other keys too, whose connections that are open live on", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, answer: () => done });
    const first = server.request("open", {}, ask());
    starts[0]?.succeed();
    await first;
    for (let round = 1; round <= 5; round += 1) {
      const reply = server.request("a", {}, ask());
      await vi.advanceTimersByTimeAsync(2000);
      starts.at(-1)?.fail("upstream_start_failed");
      await reply;
      expect(starts).toHaveLength(1 + round);
    }
    expect(await server.request("b", {}, ask())).toMatchObject({ code: "upstream_unavailable" });
    expect(starts).toHaveLength(6);
    expect(await server.request("open", {}, ask())).toEqual(done);
    expect(server.status()).toMatchObject({
      state: "up",
      connections: 1,
      lastError: { code: "upstream_start_failed" },
    });
  });

  test("counts no more once a start has succeeded", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, answer: () => done });
    const fail = async (): Promise<void> => {
      const reply = server.request("a", {}, ask());
      await vi.advanceTimersByTimeAsync(1000);
      starts.at(-1)?.fail("upstream_start_failed");
      await reply;
    };
    await fail();
    await fail();
    const reply = server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1000);
    starts.at(-1)?.succeed();
    await reply;
    server.end("a");
    await fail();
    void server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(250);
    expect(starts).toHaveLength(5);
  });

  test("is not waited for where the deadline of a request comes first", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true });
    const reply = server.request("a", {}, ask());
    starts[0]?.fail("upstream_start_failed");
    await reply;
    const hasty = await server.request("a", {}, ask("tools/call", { timeoutMs: 100 }));
    expect(hasty).toMatchObject({ code: "upstream_unavailable" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("counts once for all keys that were started at the same time", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, answer: () => done });
    const replies = ["a", "b", "c", "d", "e"].map((key) => server.request(key, {}, ask()));
    for (const start of starts) start.fail("upstream_start_failed");
    await Promise.all(replies);
    const next = server.request("f", {}, ask());
    await vi.advanceTimersByTimeAsync(250);
    starts.at(-1)?.succeed();
    expect(await next).toEqual(done);
  });

  test("leaves the wait as soon as the client takes its request back", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true });
    const reply = server.request("a", {}, ask());
    starts[0]?.fail("upstream_start_failed");
    await reply;
    const controller = new AbortController();
    const gone = server.request("a", {}, ask("tools/call", { signal: controller.signal }));
    controller.abort();
    expect(await gone).toMatchObject({ code: "cancelled" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
