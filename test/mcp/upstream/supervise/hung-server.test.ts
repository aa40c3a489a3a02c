import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type {
  UpstreamReply,
  UpstreamRequest,
} from "../../../../src/mcp/upstream/upstream-connection.ts";
import { ask, createFakeUpstream, done } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function createHanging(
  settings: { readonly era?: "legacy" | "modern"; readonly pings?: boolean } = {},
) {
  const { era = "legacy", pings = false } = settings;
  const answers: { all: UpstreamReply | undefined } = { all: done };
  const fake = createFakeUpstream({
    era,
    maxConcurrent: 8,
    answer: ({ method }: UpstreamRequest) => (method === "ping" && pings ? done : answers.all),
  });
  await fake.server.request("a", {}, ask("first"));
  await vi.advanceTimersByTimeAsync(20_000);
  answers.all = undefined;
  const timeOut = async (method = "slow"): Promise<void> => {
    const reply = fake.server.request("a", {}, ask(method, { timeoutMs: 100 }));
    await vi.advanceTimersByTimeAsync(2100);
    await reply;
  };
  return { ...fake, answers, timeOut };
}

describe("a server that hangs", () => {
  test("is replaced after three requests in a row without a sign of life", async () => {
    const { server, connections, lost, answers, timeOut } = await createHanging({ era: "modern" });
    await timeOut();
    await timeOut();
    expect(connections[0]?.isClosed).toBe(false);
    await timeOut();
    expect(connections[0]?.isClosed).toBe(true);
    expect(lost).toEqual(["a: it left 3 requests without an answer"]);
    answers.all = done;
    expect(await server.request("a", {}, ask())).toEqual(done);
    expect(connections).toHaveLength(2);
    expect(server.status().restarts).toBe(1);
  });

  test("is not replaced while it says anything, asked or not", async () => {
    const { connections, timeOut } = await createHanging({ era: "modern" });
    for (let round = 0; round < 4; round += 1) {
      await timeOut();
      connections[0]?.events.onNotification?.({ method: "notifications/message", params: {} });
    }
    expect(connections[0]?.isClosed).toBe(false);
  });

  test("is not replaced while its requests make progress", async () => {
    const { server, connections } = await createHanging({ era: "modern" });
    for (let round = 0; round < 4; round += 1) {
      const wanted = ask("slow", { timeoutMs: 100, onProgress: () => {} });
      const reply = server.request("a", {}, wanted);
      await vi.advanceTimersByTimeAsync(50);
      for (const open of connections[0]?.open ?? []) open.wanted.onProgress?.({ progress: 1 });
      await vi.advanceTimersByTimeAsync(2100);
      expect(await reply).toMatchObject({ code: "upstream_timeout" });
    }
    expect(connections[0]?.isClosed).toBe(false);
  });

  test("fails what else was under way when it is replaced", async () => {
    const { server, timeOut } = await createHanging({ era: "modern" });
    const long = server.request("a", {}, ask("long", { timeoutMs: 100_000 }));
    await timeOut();
    await timeOut();
    await timeOut();
    expect(await long).toMatchObject({ code: "upstream_lost" });
    expect(server.status()).toMatchObject({ inFlight: 0, connections: 0 });
  });

  test("of the legacy era is pinged before it gets more, and replaced if it is silent", async () => {
    const { server, connections, answers, timeOut } = await createHanging();
    await timeOut();
    const reply = server.request("a", {}, ask("next"));
    await vi.advanceTimersByTimeAsync(1999);
    expect(connections[0]?.sent).toEqual(["first", "slow", "ping"]);
    answers.all = done;
    await vi.advanceTimersByTimeAsync(1);
    expect(await reply).toEqual(done);
    expect(connections[0]?.isClosed).toBe(true);
    expect(connections[1]?.sent).toEqual(["next"]);
  });

  test("of the legacy era that answers the ping keeps its connection", async () => {
    const { server, connections, timeOut } = await createHanging({ pings: true });
    for (let round = 0; round < 5; round += 1) {
      await timeOut();
    }
    void server.request("a", {}, ask("next"));
    await vi.advanceTimersByTimeAsync(1);
    expect(connections).toHaveLength(1);
    expect(connections[0]?.sent.slice(0, 4)).toEqual(["first", "slow", "ping", "slow"]);
  });

  test("is pinged once for all requests that wait for it", async () => {
    const { server, connections, timeOut } = await createHanging();
    await timeOut();
    void server.request("a", {}, ask());
    void server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    expect(connections[0]?.sent).toEqual(["first", "slow", "ping"]);
  });

  test("gets nothing of a request that ends during the ping", async () => {
    const { server, connections, timeOut } = await createHanging({ pings: false });
    await timeOut();
    const controller = new AbortController();
    const replies = [
      server.request("a", {}, ask("cancelled", { signal: controller.signal })),
      server.request("a", {}, ask("expired", { timeoutMs: 1000 })),
    ];
    await vi.advanceTimersByTimeAsync(1000);
    controller.abort();
    expect(await Promise.all(replies)).toMatchObject([
      { code: "cancelled" },
      { code: "upstream_busy" },
    ]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(connections.flatMap(({ sent }) => sent)).toEqual(["first", "slow", "ping"]);
    expect(server.status().inFlight).toBe(0);
  });

  test("is not pinged while another request of this connection runs", async () => {
    const { server, connections, timeOut } = await createHanging();
    void server.request("a", {}, ask("long", { timeoutMs: 100_000 }));
    await timeOut();
    void server.request("a", {}, ask("next"));
    await vi.advanceTimersByTimeAsync(1);
    expect(connections[0]?.sent).toEqual(["first", "long", "slow", "next"]);
  });
});
