import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bundleProgram, startProgram } from "../../../decision/child-program.ts";
import { ask, createFakeUpstream, done } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the end of a session", () => {
  test("closes its connection, ends its requests and leaves other keys alone", async () => {
    const { server, connections, lost } = createFakeUpstream({ maxConcurrent: 1 });
    const running = server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    const waiting = server.request("a", {}, ask("waiting"));
    const other = server.request("b", {}, ask("other"));
    await vi.advanceTimersByTimeAsync(1);
    server.end("a");
    server.end("unknown");
    expect(await running).toMatchObject({ code: "upstream_lost" });
    expect(await waiting).toMatchObject({ code: "cancelled", message: "its session has ended" });
    await vi.advanceTimersByTimeAsync(1);
    expect(connections.map(({ key, sent, isClosed }) => [key, sent, isClosed])).toEqual([
      ["a", ["tools/call"], true],
      ["b", ["other"], false],
    ]);
    expect(lost).toEqual([]);
    for (const { end } of connections[1]?.open ?? []) end(done);
    expect(await other).toEqual(done);
    expect(server.status()).toMatchObject({ keys: 1, lastError: undefined });
  });

  test("takes back its start, which counts as no failure", async () => {
    const { server, starts } = createFakeUpstream({ isManual: true, answer: () => done });
    for (let round = 0; round < 6; round += 1) {
      const reply = server.request("a", {}, ask());
      await vi.advanceTimersByTimeAsync(1);
      server.end("a");
      expect(await reply).toMatchObject({ code: "cancelled" });
      expect(starts.at(-1)?.signal.aborted).toBe(true);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(server.status()).toMatchObject({ state: "idle", lastError: undefined });
    expect(vi.getTimerCount()).toBe(0);
    void server.request("a", {}, ask());
    expect(starts).toHaveLength(7);
  });

  test("lets the key begin anew once the old connection has closed", async () => {
    let closeNow = (): void => {};
    const { server, starts } = createFakeUpstream({
      answer: () => done,
      closing: () => new Promise((resolve) => (closeNow = resolve)),
    });
    await server.request("a", {}, ask());
    server.end("a");
    const reply = server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1000);
    expect(starts).toHaveLength(1);
    closeNow();
    expect(await reply).toEqual(done);
  });

  test("in the very moment of a start that succeeds leaves no connection behind", async () => {
    const isTold: boolean[] = [];
    for (let momentOfEnd = 0; momentOfEnd < 12; momentOfEnd += 1) {
      const { server, starts, connections, heard } = createFakeUpstream({ isManual: true });
      const reply = server.request("a", {}, ask());
      starts[0]?.succeed();
      for (let moment = 0; moment < momentOfEnd; moment += 1) await Promise.resolve();
      server.end("a");
      expect(await reply).toMatchObject({ kind: "failed" });
      await vi.advanceTimersByTimeAsync(0);
      expect(connections[0]?.isClosed).toBe(true);
      expect(server.status().connections).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
      isTold.push(heard.length > 0);
    }
    expect(isTold).toContain(true);
    expect(isTold).toContain(false);
  });

  test("also ends what waits for the predecessor to close, which is then not started", async () => {
    let closeNow = (): void => {};
    const { server, starts } = createFakeUpstream({
      answer: () => done,
      closing: () => new Promise((resolve) => (closeNow = resolve)),
    });
    await server.request("a", {}, ask());
    server.end("a");
    const reply = server.request("a", {}, ask());
    server.end("a");
    expect(await reply).toMatchObject({ code: "cancelled" });
    closeNow();
    await vi.advanceTimersByTimeAsync(1);
    expect(starts).toHaveLength(1);
  });
});

describe("closing", () => {
  test("ends what runs, waits, starts and backs off, and leaves no timer", async () => {
    const { server, starts, connections } = createFakeUpstream({
      isManual: true,
      maxConcurrent: 1,
      random: () => 0.5,
    });
    const running = server.request("running", {}, ask());
    starts[0]?.succeed();
    await vi.advanceTimersByTimeAsync(1);
    const queued = server.request("running", {}, ask());
    const failing = server.request("failing", {}, ask());
    starts[1]?.fail("upstream_start_failed");
    await failing;
    const backingOff = server.request("failing", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    const closed = server.close();
    expect(await running).toMatchObject({ code: "upstream_lost" });
    expect(await Promise.all([queued, backingOff])).toMatchObject([
      { code: "upstream_unavailable", message: "the gateway is shutting down" },
      { code: "upstream_unavailable", message: "the gateway is shutting down" },
    ]);
    await closed;
    expect(connections[0]?.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(await server.request("running", {}, ask())).toMatchObject({
      code: "upstream_unavailable",
    });
    server.hold("late", {})();
    expect(server.status()).toMatchObject({ state: "idle", keys: 0, inFlight: 0, queued: 0 });
  });

  test("waits for connections to close, and for a start to be cleared away", async () => {
    let closeNow = (): void => {};
    let clearNow = (): void => {};
    const { server, starts } = createFakeUpstream({
      closing: () => new Promise((resolve) => (closeNow = resolve)),
    });
    void server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    const cleared = createFakeUpstream({
      connect: async () => {
        await new Promise<void>((resolve) => (clearNow = resolve));
        throw new Error("taken back");
      },
    });
    void cleared.server.request("a", {}, ask());
    let isClosed = false;
    const closed = Promise.all([server.close(), cleared.server.close()]).then(
      () => (isClosed = true),
    );
    await vi.advanceTimersByTimeAsync(5000);
    closeNow();
    await vi.advanceTimersByTimeAsync(1);
    expect(isClosed).toBe(false);
    clearNow();
    await closed;
    expect(starts).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("does not wait for ever for what does not close", async () => {
    const { server } = createFakeUpstream({ closing: () => new Promise(() => {}) });
    void server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    const closed = server.close();
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a process with supervised servers", () => {
  test("ends by itself once they are closed, whatever they were doing", async () => {
    vi.useRealTimers();
    const program = await bundleProgram(
      fileURLToPath(new URL("supervised-program.ts", import.meta.url)),
    );
    const child = startProgram(program);
    const printed = text(child.stdout);
    const [code] = await once(child, "exit");
    expect(await printed).toBe(
      "starting upstream_unavailable\nrunning upstream_lost\nrefused upstream_unavailable\nclosed\n",
    );
    expect(code).toBe(0);
  });
});
