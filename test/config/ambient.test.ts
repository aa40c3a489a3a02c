import { expect, test } from "vitest";
import { createIds, newId, systemClock } from "../../src/config/ambient.ts";

test("ids are lower-case UUIDs of version 7, unique and ascending", () => {
  const ids = Array.from({ length: 1000 }, () => newId());
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(1000);
});

test("the wall clock is the system's and the monotonic one never goes back", () => {
  expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1000);
  const first = systemClock.monotonicMs();
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first);
});

test("ids stay in order and apart where the clock stands still or goes back", () => {
  const times = [1000, 1000, 900, 1000, 1001];
  let at = -1;
  const make = createIds({ nowMs: () => times[(at += 1)] ?? 1001 });
  const ids = Array.from({ length: 600 }, make);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids.map((id) => id.slice(-11))).size).toBe(600);
  expect(ids[0]?.slice(0, 13)).toBe("00000000-03e8");
  expect(ids[4]?.slice(0, 13)).toBe("00000000-03e9");
});
