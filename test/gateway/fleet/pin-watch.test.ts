import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PinWatch } from "../../../src/gateway/fleet/pin-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch, and the servers it looked at. */
function setting() {
  const looked: string[] = [];
  const watch = new PinWatch(async (server) => void looked.push(server));
  return { looked, watch };
}

test("a server with changed tools is looked at every two seconds until it has none", async () => {
  const { looked, watch } = setting();
  watch.watch(new Set(["crm"]));
  watch.watch(new Set(["crm", "mail"]));
  await vi.advanceTimersByTimeAsync(4000);
  expect(looked).toEqual(["crm", "mail", "crm", "mail"]);
  watch.watch(new Set(["mail"]));
  await vi.advanceTimersByTimeAsync(2000);
  expect(looked.slice(4)).toEqual(["mail"]);
  watch.watch(new Set());
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looked).toHaveLength(5);
  expect(vi.getTimerCount()).toBe(0);
});

test("nothing runs where no tool changed", () => {
  const { watch } = setting();
  watch.watch(new Set());
  expect(vi.getTimerCount()).toBe(0);
});

test("one look is over before the next one begins", async () => {
  let [running, most] = [0, 0];
  const watch = new PinWatch(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 7000));
    running -= 1;
  });
  watch.watch(new Set(["crm"]));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(most).toBe(1);
});

test("a closed watch looks at nothing, whatever it is told", async () => {
  const { looked, watch } = setting();
  watch.watch(new Set(["crm"]));
  watch.close();
  watch.watch(new Set(["crm"]));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looked).toEqual([]);
});
