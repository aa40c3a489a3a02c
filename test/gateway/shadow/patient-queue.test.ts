/**
 * Work that nobody waits for: in order, one piece at a time, and never more than fits.
 */
import { expect, test } from "vitest";
import { PatientQueue } from "../../../src/gateway/shadow/patient-queue.ts";
import { eventually } from "../../support/eventually.ts";

interface Opened {
  readonly queue: PatientQueue<string>;
  readonly begun: string[];
  readonly failures: string[];
  readonly finish: () => void;
}

/** A queue whose work goes on when the test says so. */
function open(limits: { maxItems?: number; maxCharacters?: number; restMs?: number } = {}): Opened {
  const { maxItems = 2, maxCharacters = 100, restMs = 0 } = limits;
  const begun: string[] = [];
  const failures: string[] = [];
  const ends: (() => void)[] = [];
  const queue = new PatientQueue<string>({
    maxItems,
    maxCharacters,
    work: async (item) => {
      begun.push(item);
      if (item === "bad") throw new Error("broken");
      await new Promise<void>((resolve) => ends.push(resolve));
      return restMs;
    },
    onFailure: (reason) => void failures.push(reason),
  });
  return { queue, begun, failures, finish: () => ends.shift()?.() };
}

test("nothing is begun before whoever added it went on", async () => {
  const { queue, begun } = open();
  expect(queue.add("one", 1)).toBe(true);
  expect(begun).toEqual([]);
  await eventually(() => begun.length === 1);
});

test("one piece follows the other, and never two at once", async () => {
  const { queue, begun, finish } = open();
  queue.add("one", 1);
  queue.add("two", 1);
  await eventually(() => begun.length === 1);
  expect(begun).toEqual(["one"]);
  finish();
  await eventually(() => begun.length === 2);
});

test("what is one too many is not taken", async () => {
  const { queue } = open({ maxItems: 2 });
  expect([queue.add("one", 1), queue.add("two", 1), queue.add("three", 1)]).toEqual([
    true,
    true,
    false,
  ]);
});

test("what is too much text is not taken, and is when there is room again", async () => {
  const { queue, begun } = open({ maxCharacters: 100 });
  expect([queue.add("one", 60), queue.add("two", 60)]).toEqual([true, false]);
  await eventually(() => begun.length === 1);
  expect(queue.add("two", 60)).toBe(true);
});

test("a failure is told and keeps nobody else from their turn", async () => {
  const { queue, begun, failures } = open();
  queue.add("bad", 1);
  queue.add("good", 1);
  await eventually(() => begun.includes("good"));
  expect(failures).toEqual(["broken"]);
});

test("work that wants a rest gets it before the next", async () => {
  const { queue, begun, finish } = open({ restMs: 3_600_000 });
  queue.add("one", 1);
  queue.add("two", 1);
  await eventually(() => begun.length === 1);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(begun).toEqual(["one"]);
  await queue.close();
  expect(begun).toEqual(["one"]);
});

test("a closed queue takes nothing and forgets what waits", async () => {
  const { queue, begun, finish } = open();
  queue.add("one", 1);
  queue.add("two", 1);
  await eventually(() => begun.length === 1);
  const closing = queue.close();
  expect(queue.add("three", 1)).toBe(false);
  finish();
  await closing;
  expect(begun).toEqual(["one"]);
});
