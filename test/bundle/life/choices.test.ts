/**
 * What people decide about a source goes before what the source has, on every gateway at once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { hold, reinstate, resume, revoke } from "../../../src/bundle/life/history-changes.ts";
import { eventually } from "../../support/eventually.ts";
import { createWorld, digestOf } from "./fake-source.ts";

const patience = { timeout: 20_000 };
const by = { at: "2026-11-22T12:00:00Z", by: "alice", why: "it denies too much" };
const chosen = (name: string) => ({ ...by, digest: digestOf(name) });

describe("a choice of somebody", () => {
  test("is followed within a second, by every gateway, with the source away", async () => {
    const { world, keep, change } = createWorld("v1");
    const [one, other] = [keep(), keep()];
    await one.start();
    world.has = "v2";
    await one.refresh();
    await other.start();
    world.away = "bundle_unreachable";
    world.activated.length = 0;
    await change((before) => hold(before, chosen("v1")));
    await expect
      .poll(() => world.activated, { timeout: 20_000, interval: 20 })
      .toEqual(["v1", "v1"]);
    await expect
      .poll(() => world.changes, patience)
      .toContainEqual(expect.objectContaining({ event: "activated", by: "alice", why: by.why }));
  });

  test("holds against the source, until it is given back", async () => {
    const { world, keep, change, history } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    await keeper.refresh();
    await change((before) => hold(before, chosen("v1")));
    await expect.poll(() => world.activated.at(-1), patience).toBe("v1");
    world.has = "v3";
    await keeper.refresh();
    expect(world.activated.at(-1)).toBe("v1");
    expect((await history()).candidate).toMatchObject({ revision: "v3", state: "waiting" });
    await change(resume);
    await expect.poll(() => world.activated.at(-1), patience).toBe("v3");
  });

  test("outlives a restart", async () => {
    const { world, keep, change } = createWorld("v1");
    const first = keep();
    await first.start();
    world.has = "v2";
    await first.refresh();
    await change((before) => hold(before, chosen("v1")));
    await expect.poll(() => world.activated.at(-1), patience).toBe("v1");
    await first.close();
    world.activated.length = 0;
    await keep().start();
    expect(world.activated).toEqual(["v1"]);
  });

  test("of a bundle that is not here asks the source for it", async () => {
    const { world, keep, change, nameIt } = createWorld("v2");
    const keeper = keep();
    await keeper.start();
    nameIt("v1");
    await change((before) => hold(before, chosen("v1")));
    await expect.poll(() => world.activated, patience).toEqual(["v2", "v1"]);
  });

  test("that cannot be followed leaves what is active, and two gateways in peace", async () => {
    const { world, keep, change, history } = createWorld("v1");
    const [one, other] = [keep(), keep()];
    await one.start();
    await other.start();
    await change((before) => hold(before, chosen("never seen")));
    await expect
      .poll(async () => (await history()).hold?.code, patience)
      .toBe("bundle_digest_mismatch");
    expect((await history()).candidate).toBeNull();
    let fetches = -1;
    await eventually(async () => {
      const hasEnded = fetches === world.fetches;
      ({ fetches } = world);
      await delay(1500);
      return hasEnded;
    });
    expect(world.fetches).toBe(fetches);
    expect(world.activated).toEqual(["v1", "v1"]);
  });
});

describe("a bundle that was revoked", () => {
  test("is active again when that is taken back, where its source has it", async () => {
    const { world, keep, change, history } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    await keeper.refresh();
    await change((before) => revoke(before, chosen("v2")));
    await expect.poll(() => world.activated.at(-1), patience).toBe("v1");
    await expect
      .poll(async () => (await history()).candidate?.code, patience)
      .toBe("bundle_revoked");
    await change((before) => reinstate(before, digestOf("v2")));
    await expect.poll(() => world.activated, patience).toEqual(["v1", "v2", "v1", "v2"]);
  });

  test("gives way to the newest before it that was not", async () => {
    const { world, keep, change } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    for (const name of ["v2", "v3"]) {
      world.has = name;
      await keeper.refresh();
    }
    await change((before) => revoke(revoke(before, chosen("v2")), chosen("v3")));
    await expect.poll(() => world.activated.at(-1), patience).toBe("v1");
    await expect
      .poll(() => world.changes, patience)
      .toContainEqual(expect.objectContaining({ event: "activated", by: "alice" }));
  });

  test("and has none before it leaves none, and never comes back", async () => {
    const { world, keep, change } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    await change((before) => revoke(before, chosen("v1")));
    await expect.poll(() => world.activated, patience).toEqual(["v1", undefined]);
    await expect
      .poll(() => world.changes, patience)
      .toContainEqual(
        expect.objectContaining({ event: "withdrawn", code: "bundle_revoked", by: "alice" }),
      );
    await keeper.refresh();
    await keeper.close();
    await keep().start();
    expect(world.activated).toEqual(["v1", undefined]);
    world.has = "v2";
    await keep().start();
    expect(world.activated.at(-1)).toBe("v2");
  });
});
