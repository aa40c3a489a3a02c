import { expect, test } from "vitest";
import { createTurns } from "../../../../src/mcp/upstream/supervise/turns.ts";

test("whoever is alone may have every turn and the whole queue", () => {
  const turns = createTurns({ maxRunning: 4, maxWaiting: 4 });
  const entered = Array.from({ length: 9 }, () => turns.enter("a", true));
  const states = entered.map((turn) => {
    if (turn === undefined) return "refused";
    return turn.ready === undefined ? "runs" : "waits";
  });
  expect(states.join(" ")).toBe(`${"runs ".repeat(4)}${"waits ".repeat(4)}refused`);
});

test("slow calls of one leave turns and places in the queue to others", async () => {
  const turns = createTurns({ maxRunning: 4, maxWaiting: 4 });
  const flood = Array.from({ length: 20 }, () => turns.enter("flood", false));
  expect(flood.filter((turn) => turn !== undefined)).toHaveLength(6);
  expect(turns.running()).toBe(3);
  const other = turns.enter("other", false);
  expect(other?.ready).toBeUndefined();
  expect(other).toBeDefined();
  const waits = turns.enter("other", false);
  expect(waits?.ready).toBeDefined();
  other?.leave();
  await waits?.ready;
  expect(turns.running()).toBe(4);
});

test("of those who wait the one with the fewest turns comes first, then the one who came first", async () => {
  const turns = createTurns({ maxRunning: 2, maxWaiting: 8 });
  const first = turns.enter("a", true);
  const second = turns.enter("b", true);
  const order: string[] = [];
  const waiting = ["a", "a", "c", "b"].map((key, at) => {
    const turn = turns.enter(key, true);
    void turn?.ready?.then(() => order.push(`${key}${at}`));
    return turn;
  });
  first?.leave();
  await Promise.resolve();
  await Promise.resolve();
  expect(order).toEqual(["a0"]);
  second?.leave();
  await Promise.resolve();
  await Promise.resolve();
  expect(order).toEqual(["a0", "c2"]);
  for (const turn of waiting) expect(turn).toBeDefined();
});

test("one who leaves the queue takes nobody's turn", () => {
  const turns = createTurns({ maxRunning: 1, maxWaiting: 2 });
  const running = turns.enter("a", true);
  const waiting = turns.enter("a", true);
  waiting?.leave();
  expect([turns.running(), turns.waiting()]).toEqual([1, 0]);
  running?.leave();
  expect(turns.running()).toBe(0);
});
