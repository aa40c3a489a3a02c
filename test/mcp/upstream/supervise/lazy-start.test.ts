import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { UpstreamConnection } from "../../../../src/mcp/upstream/upstream-connection.ts";
import { ask, createFakeUpstream, done } from "./fake-upstream.ts";

const idleConnection: UpstreamConnection = {
  greeting: {
    era: "modern",
    protocolVersion: "2026-07-28",
    capabilities: {},
    serverInfo: {},
    instructions: undefined,
  },
  request: async () => done,
  notify: () => {},
  close: async () => {},
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a server that nobody asked anything yet", () => {
  test("is not started, also not by those who listen or notify", async () => {
    const { server, starts } = createFakeUpstream();
    server.hold("a", {});
    server.notify("a", "notifications/roots/list_changed");
    await vi.advanceTimersByTimeAsync(1000);
    expect(starts).toHaveLength(0);
    expect(server.status()).toMatchObject({ state: "idle", connections: 0, upSinceMs: undefined });
  });

  test("is started once for all first requests, with the capabilities of the first", async () => {
    const { server, starts, connections } = createFakeUpstream({
      isManual: true,
      answer: () => done,
    });
    const replies = [
      server.request("a", { sampling: {} }, ask()),
      server.request("a", {}, ask()),
      server.request("a", {}, ask()),
    ];
    await vi.advanceTimersByTimeAsync(10);
    expect(starts).toHaveLength(1);
    expect(server.status()).toMatchObject({ state: "starting", queued: 3, inFlight: 0 });
    starts[0]?.succeed();
    expect(await Promise.all(replies)).toEqual([done, done, done]);
    expect(starts).toHaveLength(1);
    expect(connections[0]?.capabilities).toEqual({ sampling: {} });
    expect(server.status()).toMatchObject({ state: "up", connections: 1, queued: 0, restarts: 0 });
    expect(server.status().upSinceMs).toBe(Date.now());
  });

  test("can be started without a request, once, and nothing is sent", async () => {
    const { server, starts, connections } = createFakeUpstream({ isManual: true });
    const limits = { timeoutMs: 1000, signal: new AbortController().signal };
    const opened = [server.connect("a", { roots: {} }, limits), server.connect("a", {}, limits)];
    starts[0]?.succeed();
    await Promise.all(opened);
    await server.connect("a", {}, limits);
    expect(starts).toHaveLength(1);
    expect(connections[0]).toMatchObject({ capabilities: { roots: {} }, sent: [] });
    expect(server.status()).toMatchObject({ state: "up", inFlight: 0, queued: 0 });
  });

  test("that cannot be started is waited for no longer than its failure or the deadline", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true });
    const limits = { timeoutMs: 1000, signal: new AbortController().signal };
    const failing = server.connect("a", {}, limits);
    starts[0]?.fail("upstream_start_failed");
    await failing;
    const slow = server.connect("a", {}, limits);
    await vi.advanceTimersByTimeAsync(1000);
    await slow;
    expect(starts).toHaveLength(2);
    await server.close();
    await server.connect("a", {}, limits);
    expect(starts).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("gets a connection for each sharing key", async () => {
    const { server, connections, heard } = createFakeUpstream({ answer: () => done });
    await server.request("a", {}, ask());
    await server.request("b", {}, ask());
    await server.request("a", {}, ask());
    expect(connections.map(({ key, sent }) => [key, sent.length])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    expect(heard).toEqual(["connected a", "connected b"]);
  });

  test("is given up when it does not start in time, and what comes late is closed", async () => {
    const late: string[] = [];
    const { server } = createFakeUpstream({
      connect: async (_key, _capabilities, _events, signal) => {
        await new Promise((resolve) => setTimeout(resolve, 6000));
        expect(signal.aborted).toBe(true);
        return { ...idleConnection, close: async () => void late.push("closed") };
      },
    });
    const reply = server.request("a", {}, ask("tools/call", { timeoutMs: 60_000 }));
    await vi.advanceTimersByTimeAsync(5000);
    expect(await reply).toMatchObject({
      code: "upstream_unavailable",
      message: "it did not start within 5000 ms",
    });
    expect(server.status().lastError?.code).toBe("upstream_start_failed");
    await vi.advanceTimersByTimeAsync(1000);
    expect(late).toEqual(["closed"]);
  });

  test("is not waited for beyond the deadline of a request; the start goes on", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, answer: () => done });
    const hasty = server.request("a", {}, ask("tools/call", { timeoutMs: 100 }));
    await vi.advanceTimersByTimeAsync(100);
    expect(await hasty).toMatchObject({ kind: "failed", code: "upstream_unavailable" });
    starts[0]?.succeed();
    expect(await server.request("a", {}, ask())).toEqual(done);
    expect(starts).toHaveLength(1);
  });

  test("lets a request be cancelled while it starts, which sends nothing", async () => {
    const { server, starts, connections } = createFakeUpstream({ isManual: true });
    const controller = new AbortController();
    const reply = server.request("a", {}, ask("tools/call", { signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(10);
    controller.abort();
    expect(await reply).toMatchObject({ kind: "failed", code: "cancelled" });
    starts[0]?.succeed();
    await vi.advanceTimersByTimeAsync(10);
    expect(connections[0]?.sent).toEqual([]);
    expect(vi.getTimerCount()).toBe(1);
    expect(server.status().state).toBe("up");
  });

  test("that wants authorization says so, without being held back afterwards", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, answer: () => done });
    for (let round = 1; round <= 6; round += 1) {
      const reply = server.request("a", {}, ask());
      await vi.advanceTimersByTimeAsync(0);
      starts.at(-1)?.fail("upstream_unauthorized");
      expect(await reply).toMatchObject({ kind: "failed", code: "upstream_unauthorized" });
      expect(starts).toHaveLength(round);
    }
    expect(server.status().lastError?.code).toBe("upstream_unauthorized");
    const reply = server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(0);
    starts.at(-1)?.succeed();
    expect(await reply).toEqual(done);
  });

  test("that dies between its start and the first request is not spoken to", async () => {
    const { server, starts, connections, lost } = createFakeUpstream({ isManual: true });
    const reply = server.request("a", {}, ask());
    starts[0]?.succeed().lose("it ended");
    await vi.advanceTimersByTimeAsync(1);
    expect(connections[0]?.sent).toEqual([]);
    expect(lost).toEqual(["a: it ended"]);
    await vi.advanceTimersByTimeAsync(250);
    starts[1]?.succeed();
    await vi.advanceTimersByTimeAsync(1);
    expect(connections[1]?.sent).toEqual(["tools/call"]);
    await server.close();
    expect(await reply).toMatchObject({ code: "upstream_lost" });
  });
});
