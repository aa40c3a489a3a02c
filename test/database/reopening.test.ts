import { expect, test } from "vitest";
import { reopening } from "../../src/database/reopening.ts";

function connections(...outcomes: readonly ("opens" | "fails")[]) {
  const events: string[] = [];
  const left = [...outcomes];
  const connect = async () => {
    const number = events.filter((event) => event.startsWith("connect")).length + 1;
    events.push(`connect ${number}`);
    if (left.shift() === "fails") throw new Error("away");
    return { number, close: async () => void events.push(`close ${number}`) };
  };
  return { events, ...reopening(connect) };
}

test("a connection is opened with its first use, once for all that ask", async () => {
  const { events, open } = connections("opens", "opens");
  expect(events).toEqual([]);
  const [one, other] = await Promise.all([open(), open()]);
  expect(one).toBe(other);
  expect(await open()).toBe(one);
  expect(events).toEqual(["connect 1"]);
});

test("one that could not be opened is opened anew, and whoever waited for it is told", async () => {
  const { events, open } = connections("fails", "opens");
  const failed = await Promise.allSettled([open(), open()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect((await open()).number).toBe(2);
  expect(events).toEqual(["connect 1", "connect 2"]);
});

test("what is open is closed, and what is being opened too", async () => {
  const { events, open, close } = connections("opens");
  const opening = open();
  await close();
  await opening;
  expect(events).toEqual(["connect 1", "close 1"]);
});

test("there is nothing to close before it was used, or after it failed", async () => {
  const { events, open, close } = connections("fails");
  await close();
  await expect(open()).rejects.toThrow("away");
  await close();
  expect(events).toEqual(["connect 1"]);
});
