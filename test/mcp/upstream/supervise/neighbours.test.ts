import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ask, createFakeUpstream, done, failure } from "./fake-upstream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function expectQuickAnswers(healthy: ReturnType<typeof createFakeUpstream>) {
  const before = Date.now();
  for (let index = 0; index < 5; index += 1) {
    expect(await healthy.server.request("a", {}, ask())).toEqual(done);
  }
  expect(Date.now()).toBe(before);
  expect(healthy.server.status()).toMatchObject({ state: "up", restarts: 0, lastError: undefined });
  expect(healthy.connections).toHaveLength(1);
}

describe("a server is not touched by a neighbour", () => {
  test("that does not start", async () => {
    const healthy = createFakeUpstream({ answer: () => done });
    const slow = createFakeUpstream({ isManual: true });
    const waiting = slow.server.request("a", {}, ask());
    await expectQuickAnswers(healthy);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await waiting).toMatchObject({ code: "upstream_unavailable" });
  });

  test("whose queue is full", async () => {
    const healthy = createFakeUpstream({ answer: () => done });
    const busy = createFakeUpstream({ maxConcurrent: 1 });
    for (let index = 0; index < 5; index += 1) void busy.server.request("a", {}, ask());
    await vi.advanceTimersByTimeAsync(1);
    for (let index = 0; index < 4; index += 1) void busy.server.request("a", {}, ask());
    expect(await busy.server.request("a", {}, ask())).toMatchObject({ code: "upstream_busy" });
    await expectQuickAnswers(healthy);
  });

  test("that dies again and again until its circuit breaker opens", async () => {
    const healthy = createFakeUpstream({ answer: () => done });
    await healthy.server.request("a", {}, ask());
    const dying = createFakeUpstream({ answer: () => failure("upstream_unavailable") });
    for (let index = 0; index < 6; index += 1) await dying.server.request("a", {}, ask());
    expect(dying.server.status().state).toBe("open_circuit");
    await expectQuickAnswers(healthy);
  });

  test("that does not close", async () => {
    const healthy = createFakeUpstream({ answer: () => done });
    await healthy.server.request("a", {}, ask());
    const stuck = createFakeUpstream({ closing: () => new Promise(() => {}), answer: () => done });
    await stuck.server.request("a", {}, ask());
    const closed = stuck.server.close();
    const before = Date.now();
    await healthy.server.close();
    expect(Date.now()).toBe(before);
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
  });
});
