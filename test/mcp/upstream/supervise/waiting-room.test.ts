import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createWaitingRoom } from "../../../../src/mcp/upstream/supervise/waiting-room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => {});

describe("a wait", () => {
  test("leaves no timer and no listener behind, however it ends", async () => {
    const room = createWaitingRoom();
    const { signal } = new AbortController();
    const limits = { forMs: 1000, signal };
    const waits = [
      room.waitFor(Promise.resolve("here"), limits),
      room.waitFor(never, { forMs: 10, signal }),
      room.waitFor(never, limits),
    ];
    expect(room.size()).toBe(3);
    await vi.advanceTimersByTimeAsync(10);
    room.close();
    expect(await Promise.all(waits)).toEqual([
      { kind: "ready", value: "here" },
      { kind: "expired" },
      { kind: "closed" },
    ]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(room.size()).toBe(0);
  });

  test("may be longer than a timer can be", async () => {
    const room = createWaitingRoom();
    let isOver = false;
    const limits = { forMs: 2 ** 31, signal: undefined };
    const wait = room.waitFor(never, limits).then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(isOver).toBe(false);
    room.close();
    await wait;
  });

  test("does not begin in a closed room", async () => {
    const room = createWaitingRoom();
    room.close();
    expect(await room.waitFor(never, { forMs: 1000, signal: undefined })).toEqual({
      kind: "closed",
    });
  });
});
