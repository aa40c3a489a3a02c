import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { UpstreamReply } from "../../../../src/mcp/upstream/upstream-connection.ts";
import { ask, createFakeUpstream, done, failure } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A modern server, which is not pinged, and whose next replies the test sets. */
function createTroubled() {
  const next: { reply: UpstreamReply | undefined } = { reply: done };
  const fake = createFakeUpstream({ era: "modern", answer: () => next.reply });
  const call = ({ key = "a", timeoutMs = 10_000 } = {}) =>
    fake.server.request(key, {}, ask("tools/call", { timeoutMs }));
  const fail = async (times: number, key = "a"): Promise<void> => {
    next.reply = failure("upstream_unavailable");
    for (let index = 0; index < times; index += 1) await call({ key });
  };
  return { ...fake, next, call, fail };
}

const isRefused = { kind: "failed", code: "upstream_unavailable" };

describe("a circuit breaker", () => {
  test("opens after five failures in a row, and lets nothing pass for half a minute", async () => {
    const { server, connections, next, call, fail, log } = createTroubled();
    await fail(5);
    next.reply = done;
    expect(server.status().state).toBe("open_circuit");
    expect(await call()).toMatchObject({
      message: "it failed too often (upstream_unavailable); it is tried again in 30 s",
    });
    await vi.advanceTimersByTimeAsync(27_900);
    expect(await call()).toMatchObject(isRefused);
    expect(connections[0]?.sent).toHaveLength(5);
    expect(log.lines.map(({ message }) => message)).toContain("upstream circuit breaker opened");
  });

  test("stays closed where an answer comes between, an error or a useless one too", async () => {
    const answers: readonly UpstreamReply[] = [
      done,
      { kind: "error", error: { code: -32_000, message: "no" } },
      failure("upstream_oversize"),
      failure("upstream_garbage"),
    ];
    for (const answer of answers) {
      const { next, call, fail } = createTroubled();
      await fail(4);
      next.reply = answer;
      await call();
      await fail(4);
      next.reply = done;
      expect(await call()).toEqual(done);
    }
  });

  test("does not count what says nothing about the server", async () => {
    for (const code of ["cancelled", "upstream_busy", "upstream_unauthorized"] as const) {
      const { next, call } = createTroubled();
      next.reply = failure(code);
      for (let index = 0; index < 20; index += 1) await call();
      next.reply = done;
      expect(await call()).toEqual(done);
    }
  });

  test("does not count failures that are a minute old", async () => {
    const { next, call, fail } = createTroubled();
    await fail(4);
    await vi.advanceTimersByTimeAsync(60_000);
    await fail(4);
    next.reply = done;
    expect(await call()).toEqual(done);
  });

  test("counts timeouts", async () => {
    const { server, next } = createTroubled();
    next.reply = undefined;
    for (let index = 0; index < 5; index += 1) {
      void server.request("a", {}, ask("tools/call", { timeoutMs: 100 }));
      await vi.advanceTimersByTimeAsync(3000);
    }
    expect(server.status()).toMatchObject({ state: "open_circuit", inFlight: 0 });
  });

  test("counts requests that broke off together as one failure", async () => {
    const { server, next, connections, call } = createTroubled();
    next.reply = undefined;
    const replies = [call(), call()];
    await vi.advanceTimersByTimeAsync(20_000 - 10_001);
    connections[0]?.lose("exited with code 1");
    expect(await Promise.all(replies)).toEqual([
      failure("upstream_lost"),
      failure("upstream_lost"),
    ]);
    next.reply = failure("upstream_unavailable");
    for (let index = 0; index < 3; index += 1) {
      const reply = call();
      await vi.advanceTimersByTimeAsync(250);
      await reply;
    }
    expect(server.status().state).toBe("up");
    await call();
    expect(server.status().state).toBe("open_circuit");
  });

  test("does not count a stream that ends", async () => {
    const { server, next, call } = createTroubled();
    next.reply = failure("upstream_lost");
    for (let index = 0; index < 6; index += 1) {
      await server.request("a", {}, ask("subscriptions/listen", { timeoutMs: Infinity }));
    }
    next.reply = done;
    expect(await call()).toEqual(done);
  });

  test("lets one request try after its window, and closes when that is answered", async () => {
    const { server, connections, next, call, fail, log } = createTroubled();
    await fail(5);
    await vi.advanceTimersByTimeAsync(30_000);
    next.reply = undefined;
    const trial = call();
    await vi.advanceTimersByTimeAsync(1);
    expect(await call()).toMatchObject({
      code: "upstream_unavailable",
      message:
        "it failed too often (upstream_unavailable), and another request is trying it now; repeat this one in some seconds",
    });
    expect(connections[0]?.sent).toHaveLength(6);
    for (const { end } of connections[0]?.open ?? []) end(done);
    expect(await trial).toEqual(done);
    next.reply = done;
    expect(await call()).toEqual(done);
    expect(server.status().state).toBe("up");
    expect(log.lines.map(({ message }) => message)).toContain("upstream circuit breaker closed");
  });

  test("opens for twice as long after each trial that fails, up to five minutes", async () => {
    const { server, next, call, fail } = createTroubled();
    await fail(5);
    const windowsMs: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const openedAtMs = Date.now();
      while (server.status().state === "open_circuit") await vi.advanceTimersByTimeAsync(1000);
      windowsMs.push(Date.now() - openedAtMs);
      await call();
    }
    expect(windowsMs).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
    await vi.advanceTimersByTimeAsync(300_000);
    next.reply = done;
    await call();
    await fail(5);
    await vi.advanceTimersByTimeAsync(30_000);
    next.reply = done;
    expect(await call()).toEqual(done);
  });

  test("lets the next one try where the trial takes longer than half a minute", async () => {
    const { next, call, fail } = createTroubled();
    await fail(5);
    await vi.advanceTimersByTimeAsync(30_000);
    next.reply = undefined;
    void call({ timeoutMs: 600_000 });
    await vi.advanceTimersByTimeAsync(29_999);
    next.reply = done;
    expect(await call()).toMatchObject(isRefused);
    await vi.advanceTimersByTimeAsync(1);
    expect(await call()).toEqual(done);
  });

  test("does not listen to attempts from before it opened", async () => {
    const { next, call, fail, connections, server } = createTroubled();
    next.reply = undefined;
    void call({ timeoutMs: 600_000 });
    void server.request("a", {}, ask("subscriptions/listen", { timeoutMs: Infinity }));
    await vi.advanceTimersByTimeAsync(1);
    await fail(5);
    next.reply = done;
    const [early, stream] = connections[0]?.open ?? [];
    early?.end(done);
    await vi.advanceTimersByTimeAsync(1);
    expect(await call()).toMatchObject(isRefused);
    await vi.advanceTimersByTimeAsync(30_000);
    stream?.end(failure("upstream_timeout"));
    await vi.advanceTimersByTimeAsync(1);
    expect(await call()).toEqual(done);
  });

  test("counts a loss once, whether the requests or the connection tell of it first", async () => {
    const { server, next, connections, call, fail } = createTroubled();
    await call();
    await vi.advanceTimersByTimeAsync(20_000);
    await fail(3);
    next.reply = failure("upstream_lost");
    await call();
    connections[0]?.events.onLost("exited with code 1");
    expect(server.status().state).toBe("idle");
    next.reply = done;
    expect(await call()).toEqual(done);
  });

  test("takes progress of the trial for an answer", async () => {
    const { connections, next, call, fail, server } = createTroubled();
    await fail(5);
    await vi.advanceTimersByTimeAsync(30_000);
    next.reply = undefined;
    void server.request("a", {}, ask("tools/call", { onProgress: () => {} }));
    await vi.advanceTimersByTimeAsync(1);
    for (const { wanted } of connections[0]?.open ?? []) wanted.onProgress?.({ progress: 1 });
    next.reply = done;
    expect(await call()).toEqual(done);
  });

  test("goes on with the next trial where one was cancelled", async () => {
    const { connections, next, call, fail, server } = createTroubled();
    await fail(5);
    await vi.advanceTimersByTimeAsync(30_000);
    next.reply = undefined;
    const controller = new AbortController();
    const trial = server.request("a", {}, ask("trial", { signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(1);
    controller.abort();
    expect(await trial).toMatchObject({ code: "cancelled" });
    next.reply = done;
    expect(await call()).toEqual(done);
    expect(connections[0]?.sent).toHaveLength(7);
  });

  test("takes no stream for a trial", async () => {
    const { next, call, fail, server } = createTroubled();
    await fail(5);
    await vi.advanceTimersByTimeAsync(30_000);
    next.reply = undefined;
    void server.request("a", {}, ask("subscriptions/listen", { timeoutMs: Infinity }));
    await vi.advanceTimersByTimeAsync(1);
    next.reply = done;
    expect(await call()).toEqual(done);
  });

  test("refuses those that waited for a turn when it opens, without sending them", async () => {
    const { server, next, connections, call, fail } = createTroubled();
    await fail(4);
    next.reply = undefined;
    const replies = [call(), call(), call(), call()];
    await vi.advanceTimersByTimeAsync(1);
    expect(server.status()).toMatchObject({ inFlight: 2, queued: 2 });
    const [first] = connections[0]?.open ?? [];
    first?.end(failure("upstream_unavailable"));
    await vi.advanceTimersByTimeAsync(1);
    expect(await Promise.all([replies[0], replies[2]])).toMatchObject([isRefused, isRefused]);
    expect(connections[0]?.sent).toHaveLength(6);
    expect(server.status()).toMatchObject({ inFlight: 1, queued: 0 });
  });

  test("of one key does not stand in the way of another, whose calls are answered", async () => {
    const { next, call, fail } = createTroubled();
    await fail(5, "greedy");
    next.reply = done;
    expect(await call({ key: "greedy" })).toMatchObject(isRefused);
    expect(await call({ key: "other" })).toEqual(done);
  });

  test("opens for all keys when the server does not start", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, random: () => 0 });
    for (let index = 0; index < 5; index += 1) {
      const reply = server.request(`key ${index}`, {}, ask());
      await vi.advanceTimersByTimeAsync(1);
      starts.at(-1)?.fail("upstream_start_failed");
      await reply;
    }
    expect(server.status().state).toBe("open_circuit");
    expect(await server.request("another", {}, ask())).toMatchObject(isRefused);
    expect(starts).toHaveLength(5);
    await vi.advanceTimersByTimeAsync(30_000);
    void server.request("trial", {}, ask());
    expect(await server.request("another", {}, ask())).toMatchObject(isRefused);
    expect(starts).toHaveLength(6);
    starts[5]?.succeed();
    await vi.advanceTimersByTimeAsync(1);
    void server.request("another", {}, ask());
    expect(starts).toHaveLength(7);
  });
});
