import { describe, expect, test } from "vitest";
import { hold } from "../../../src/bundle/life/history-changes.ts";
import { createWorld, digestOf } from "./fake-source.ts";

const patience = { timeout: 20_000 };
const by = { at: "2026-11-22T12:00:00Z", by: "alice", why: "it denies too much" };
const chosen = (name: string) => ({ ...by, digest: digestOf(name) });

describe("a source that has something new", () => {
  test("has it made active, while the one before goes into the history", async () => {
    const { world, keep, history } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    expect(world.activated).toEqual(["v1"]);
    world.has = "v2";
    await keeper.refresh();
    expect(world.activated).toEqual(["v1", "v2"]);
    const { active, previous, status } = await history();
    expect(active?.revision).toBe("v2");
    expect(previous.map(({ revision }) => revision)).toEqual(["v1"]);
    expect(status).toMatchObject({ code: null, last_successful_activation: active?.activated_at });
    expect(world.changes.map(({ event, revision }) => [event, revision])).toEqual([
      ["activated", "v1"],
      ["activated", "v2"],
    ]);
  });

  test("is asked on its own cadence", async () => {
    const { world, keep } = createWorld("v1");
    await keep({ pollMs: 50 }).start();
    world.has = "v2";
    await expect.poll(() => world.activated, patience).toEqual(["v1", "v2"]);
  });

  test("that has nothing new is written down now and then, not with every poll", async () => {
    const { world, keep, history } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    const before = await history();
    await keeper.refresh();
    expect((await history()).status).toEqual(before.status);
    world.skewMs = 61_000;
    await keeper.refresh();
    expect((await history()).status.last_request).not.toBe(before.status.last_request);
    world.away = "bundle_unreachable";
    await keeper.refresh();
    world.away = undefined;
    await keeper.refresh();
    expect((await history()).status.code).toBeNull();
  });

  test("is not fetched again where nothing is new", async () => {
    const { world, keep } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    await keeper.refresh();
    await keeper.refresh();
    expect([world.polls, world.fetches]).toEqual([3, 1]);
  });
});

describe("a bundle that is no good", () => {
  test.each(["bundle_tests_failed", "bundle_unverified", "bundle_downgrade"] as const)(
    "by %s leaves the old one, and is told of once",
    async (code) => {
      const { world, keep, history } = createWorld("v1");
      const keeper = keep();
      await keeper.start();
      world.bad.set("v2", code);
      world.has = "v2";
      await keeper.refresh();
      await keeper.refresh();
      expect(world.activated).toEqual(["v1"]);
      const { active, candidate, status } = await history();
      expect(active?.revision).toBe("v1");
      expect(candidate).toMatchObject({ digest: digestOf("v2"), state: "rejected", code });
      // The source was heard, and what it has is no good: that is told of what it has.
      expect(status).toMatchObject({ code: null, last_request: status.last_successful_request });
      const rejected = world.changes.filter(({ event }) => event === "rejected");
      expect(rejected).toMatchObject([{ digest: digestOf("v2"), previous: digestOf("v1"), code }]);
    },
  );

  test("because the engine refuses it leaves the old one", async () => {
    const { world, keep, history } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.broken.set("v2", "it loops");
    world.has = "v2";
    await keeper.refresh();
    expect(world.activated).toEqual(["v1"]);
    expect((await history()).candidate).toMatchObject({ code: "policy_activation_failed" });
  });

  test("is looked at again as soon as its signature may have come", async () => {
    const { world, keep } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    world.bad.set("v2", "bundle_unverified");
    await keeper.refresh();
    world.bad.clear();
    await keeper.refresh();
    expect(world.activated).toEqual(["v1", "v2"]);
  });

  test("is not looked at again where it stays as bad as it is", async () => {
    const { world, keep } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    world.bad.set("v2", "bundle_tests_failed");
    await keeper.refresh();
    await keeper.refresh();
    expect(world.fetches).toBe(2);
  });
});

describe("a start without the source", () => {
  test("takes the last good bundle", async () => {
    const { world, keep, history } = createWorld("v1");
    const first = keep();
    await first.start();
    await first.close();
    world.away = "bundle_unreachable";
    await keep().start();
    expect(world.activated).toEqual(["v1", "v1"]);
    expect(world.changes).toHaveLength(1);
    expect((await history()).status.code).toBe("bundle_unreachable");
  });

  test("does not wait for one that hangs", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep();
    await first.start();
    await first.close();
    world.isHung = true;
    await keep().start();
    expect(world.activated).toEqual(["v1", "v1"]);
  });

  test("has no bundle where there never was one, and gets it when the source is back", async () => {
    const { world, keep } = createWorld("v1");
    world.away = "bundle_unreachable";
    await keep({ pollMs: 100 }).start();
    expect(world.activated).toEqual([]);
    world.away = undefined;
    await expect.poll(() => world.activated, patience).toEqual(["v1"]);
  });

  test("verifies the last good bundle again", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep();
    await first.start();
    await first.close();
    world.away = "bundle_unreachable";
    world.bad.set("v1", "bundle_unverified");
    await keep().start();
    expect(world.activated).toEqual(["v1"]);
  });

  test("does not test again what has passed its tests", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep();
    await first.start();
    await first.close();
    await keep().start();
    expect(world.tested).toEqual(["v1"]);
  });
});

describe("a source that was silent for too long", () => {
  const options = { maxStalenessMs: 60_000 };

  test("has its bundle withdrawn, and given back when it speaks", async () => {
    const { world, keep } = createWorld("v1");
    const keeper = keep(options);
    await keeper.start();
    world.away = "bundle_unreachable";
    await keeper.refresh();
    expect(world.activated).toEqual(["v1"]);
    world.skewMs = 61_000;
    await expect.poll(() => world.activated, patience).toEqual(["v1", undefined]);
    await expect
      .poll(() => world.changes, patience)
      .toContainEqual(expect.objectContaining({ event: "withdrawn", code: "bundle_stale" }));
    world.away = undefined;
    await keeper.refresh();
    expect(world.activated).toEqual(["v1", undefined, "v1"]);
    await expect
      .poll(() => world.changes, patience)
      .toContainEqual(expect.objectContaining({ event: "activated" }));
  });

  test("gives a start no bundle", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep(options);
    await first.start();
    await first.close();
    world.away = "bundle_unreachable";
    world.skewMs = 61_000;
    await keep(options).start();
    expect(world.activated).toEqual(["v1"]);
  });
});

describe("a source whose bundles are activated by hand", () => {
  test("has its first one active, and those that follow wait", async () => {
    const { world, keep, change, history } = createWorld("v1");
    const keeper = keep({ activation: "manual" });
    await keeper.start();
    world.has = "v2";
    await keeper.refresh();
    expect(world.activated).toEqual(["v1"]);
    expect((await history()).candidate).toMatchObject({ revision: "v2", state: "waiting" });
    await change((before) => hold(before, chosen("v2")));
    await expect.poll(() => world.activated, patience).toEqual(["v1", "v2"]);
    await expect.poll(async () => (await history()).candidate, patience).toBeNull();
  });

  test("has the active one again after a restart, whatever the source has", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep({ activation: "manual" });
    await first.start();
    await first.close();
    world.has = "v2";
    await keep({ activation: "manual" }).start();
    expect(world.activated).toEqual(["v1", "v1"]);
  });
});

describe("a source that is locked", () => {
  test("never moves, and tells what it could move to", async () => {
    const { world, keep, history, nameIt } = createWorld("v2");
    const locked = { digest: digestOf("v1"), version: { id: nameIt("v1") } };
    const keeper = keep({ locked });
    await keeper.start();
    await keeper.refresh();
    expect(world.activated).toEqual(["v1"]);
    expect((await history()).candidate).toMatchObject({ revision: "v2", state: "waiting" });
  });

  test("is left by a rollback all the same", async () => {
    const { world, keep, change, nameIt } = createWorld("v2");
    const first = keep();
    await first.start();
    await first.close();
    const locked = { digest: digestOf("v1"), version: { id: nameIt("v1") } };
    await keep({ locked }).start();
    await change((before) => hold(before, chosen("v2")));
    await expect.poll(() => world.activated, patience).toEqual(["v2", "v1", "v2"]);
  });
});
