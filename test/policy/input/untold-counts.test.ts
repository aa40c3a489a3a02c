/**
 * However many conversations a principal keeps going, what is written of their counts has a bound.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import { vouchedConversation } from "../../../src/contract/vouched-conversation.ts";
import { Conversation } from "../../../src/policy/input/conversation.ts";
import { parseEntry } from "../../../src/policy/input/sighting.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const start = Date.parse("2026-11-22T10:00:00Z");
const mebibyte = 1024 * 1024;
const nothing = { dataClasses: [], labels: [] };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Calls of each of so many named conversations every few seconds, in `seconds`; what was written. */
async function linesAfter(named: number, seconds: number, everySeconds = 5) {
  const folder = temporaryFolder();
  const all = new Conversation(folder, newId);
  const views = Array.from({ length: named }, (_, index) =>
    all.vouched(vouchedConversation("principal", `chat-${index}`)),
  );
  for (let second = 0; second < seconds; second += 1) {
    if (second % everySeconds === 0)
      for (const view of views) view.measure("crm", 400, start + second * 1000);
    await vi.advanceTimersByTimeAsync(1000);
  }
  await all.close();
  return linesIn(folder);
}

function linesIn(folder: string) {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const lines = texts.join("").split("\n").filter(Boolean);
  return { bytes: texts.join("").length, entries: lines.flatMap((line) => parseEntry(line) ?? []) };
}

describe("the counts of a principal's conversations", () => {
  test("are at most one line a second for all named ones together", async () => {
    const [named, seconds] = [50, 3600];
    const { bytes, entries } = await linesAfter(named, seconds);
    const ofAll = entries.filter(({ of }) => of === undefined);
    // At the close each tells once more.
    expect(entries.length - ofAll.length).toBeLessThanOrEqual(seconds + named);
    expect(ofAll.length).toBeLessThanOrEqual(30 + seconds / 30 + 1);
    expect(bytes).toBeLessThan(24 * mebibyte * (seconds / 86_400));
  }, 120_000);

  test("have their turn, all of them", async () => {
    const { entries } = await linesAfter(50, 600);
    const told = new Map<string | undefined, number>();
    for (const { of } of entries) told.set(of, (told.get(of) ?? 0) + 1);
    expect(told.size).toBe(51);
    // Everything of the principal waits for no named one, and is told once at a time.
    expect(told.get(undefined)).toBeGreaterThanOrEqual(20);
    expect(new Set(entries.map((entry) => JSON.stringify(entry))).size).toBe(entries.length);
    expect(Math.min(...told.values())).toBeGreaterThanOrEqual(9);
  });

  test("are told soon in the first minute, and later every 30 seconds", async () => {
    const young = await linesAfter(1, 60, 1);
    const grown = await linesAfter(1, 660, 1);
    const countNamed = ({ entries }: typeof young) => entries.filter(({ of }) => of).length;
    expect(countNamed(young)).toBeGreaterThanOrEqual(19);
    expect(countNamed(grown) - countNamed(young)).toBeLessThanOrEqual(21);
    expect(countNamed(grown) - countNamed(young)).toBeGreaterThanOrEqual(18);
  });

  test("are told once where a call that brings something tells them", async () => {
    const folder = temporaryFolder();
    const all = new Conversation(folder, newId);
    all.measure("crm", 400, start);
    await all.absorb("crm", nothing, start);
    await vi.advanceTimersByTimeAsync(60_000);
    await all.close();
    expect(linesIn(folder).entries).toHaveLength(1);
  });

  test("are told once where nothing has a name", async () => {
    const folder = temporaryFolder();
    const all = new Conversation(folder, newId);
    all.measure("crm", 400, start);
    await vi.advanceTimersByTimeAsync(60_000);
    await all.close();
    expect(linesIn(folder).entries).toHaveLength(1);
  });

  test("are told at the close, all that are left", async () => {
    const folder = temporaryFolder();
    const all = new Conversation(folder, newId);
    for (const id of ["a", "b", "c"])
      all.vouched(vouchedConversation("principal", id)).measure("crm", 400, start);
    await all.close();
    expect(linesIn(folder).entries).toHaveLength(4);
  });

  test("wait for their next turn when they could not be told", async () => {
    let [isAway, written] = [true, 0];
    const shared = {
      read: () => Promise.resolve([]),
      write: () => {
        if (isAway) return Promise.reject(new Error("away"));
        written += 1;
        return Promise.resolve();
      },
      countVouched: () => Promise.resolve(0),
    };
    const all = new Conversation(temporaryFolder(), newId, { shared });
    all.measure("crm", 400, start);
    await vi.advanceTimersByTimeAsync(10_000);
    isAway = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(written).toBe(1);
    await all.close();
  });
});
