/**
 * A choice that cannot be followed now is tried again, and the history says when; one that never can
 * be is left alone.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { hold, resume } from "../../../src/bundle/life/history-changes.ts";
import { systemClock } from "../../../src/config/ambient.ts";
import type { Clock } from "../../../src/contract/ambient.ts";
import { createTestLog } from "../../support/log.ts";
import { createWorld, digestOf } from "./fake-source.ts";

const patience = { timeout: 30_000 };
const by = { at: "2026-11-22T12:00:00Z", by: "alice", why: "it denies too much" };
const chosen = (name: string) => ({ ...by, digest: digestOf(name) });
const again = "a chosen bundle is tried again";

/** A gateway with two bundles, the newer one active. */
async function withTwo(clock: Clock = systemClock) {
  const made = createWorld("v1");
  const log = createTestLog();
  const keeper = made.keep({}, { log, clock });
  await keeper.start();
  made.world.has = "v2";
  await keeper.refresh();
  made.world.activated.length = 0;
  const retries = () => log.lines.filter(({ message }) => message === again);
  return { ...made, retries };
}

describe("a choice that could not be followed", { timeout: 60_000 }, () => {
  test("because the engine had too much to do is followed a little later", async () => {
    const { world, change, history } = await withTwo();
    world.broken.set("v1", "it took too long");
    await change((before) => hold(before, chosen("v1")));
    await expect
      .poll(async () => (await history()).hold, patience)
      .toMatchObject({ code: "policy_activation_failed", next_try_at: expect.any(String) });
    expect(world.activated).toEqual([]);
    world.broken.clear();
    await expect.poll(() => world.activated, patience).toEqual(["v1"]);
    await expect.poll(async () => (await history()).hold?.next_try_at, patience).toBeUndefined();
    expect((await history()).hold).toMatchObject({ digest: digestOf("v1") });
  });

  test("because its source was away is followed when that is back", async () => {
    const { world, keep, change, history, nameIt } = createWorld("v2");
    await keep().start();
    nameIt("v1");
    world.away = "bundle_unreachable";
    await change((before) => hold(before, chosen("v1")));
    await expect
      .poll(async () => (await history()).hold, patience)
      .toMatchObject({ code: "bundle_unreachable", next_try_at: expect.any(String) });
    world.away = undefined;
    await expect.poll(() => world.activated, patience).toEqual(["v2", "v1"]);
  });

  test("is tried ever less often, and told of once", async () => {
    let nowMs = systemClock.nowMs();
    const { world, change, retries } = await withTwo({
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
    });
    world.broken.set("v1", "it took too long");
    await change((before) => hold(before, chosen("v1")));
    const times: number[] = [];
    for (let made = 1; made <= 3; made += 1) {
      await expect.poll(() => retries().length, patience).toBe(made);
      nowMs = Date.parse(String(Object(retries().at(-1)?.data).next_try_at));
      times.push(nowMs);
    }
    expect(retries().map(({ data }) => data)).toMatchObject([
      { failures: 1 },
      { failures: 2 },
      { failures: 3 },
    ]);
    const [first = 0, second = 0, third = 0] = times;
    expect(third - second).toBeGreaterThan(second - first);
    expect(world.changes.filter(({ event }) => event === "rejected")).toHaveLength(1);
  });

  test("is not tried any more where it was taken back", async () => {
    const { world, change, retries } = await withTwo();
    world.broken.set("v1", "it took too long");
    await change((before) => hold(before, chosen("v1")));
    await expect.poll(() => retries().length, patience).toBeGreaterThan(0);
    const { polls } = world;
    await change(resume);
    // The source is asked again once that was heard of.
    await expect.poll(() => world.polls, patience).toBeGreaterThan(polls);
    world.broken.clear();
    const { length } = retries();
    await delay(4000);
    expect(retries()).toHaveLength(length);
    expect(world.activated).not.toContain("v1");
  });

  test("for what it holds is not tried again", async () => {
    const { world, change, history, retries } = await withTwo();
    world.bad.set("v1", "bundle_compile_failed");
    await change((before) => hold(before, chosen("v1")));
    await expect
      .poll(async () => (await history()).hold?.code, patience)
      .toBe("bundle_compile_failed");
    world.bad.clear();
    await delay(3000);
    expect(retries()).toEqual([]);
    expect(world.activated).toEqual([]);
  });
});

describe("a lock that could not be followed", { timeout: 60_000 }, () => {
  test("is followed when its source is back, though the tag has moved on", async () => {
    const { world, keep, history, nameIt } = createWorld("v2");
    const locked = { digest: digestOf("v1"), version: { id: nameIt("v1") } };
    world.away = "bundle_unreachable";
    await keep({ locked }).start();
    expect((await history()).candidate).toMatchObject({ next_try_at: expect.any(String) });
    world.away = undefined;
    await expect.poll(() => world.activated, patience).toEqual(["v1"]);
  });
});
