/**
 * What a person decides while a gateway writes into the same history is followed all the same: the
 * gateway's own writes do not hide it.
 */
import { expect, test } from "vitest";
import { hold, resume, revoke } from "../../../src/bundle/life/history-changes.ts";
import { createWorld, digestOf } from "./fake-source.ts";

const patience = { timeout: 30_000 };

function chosen(name: string) {
  return { digest: digestOf(name), at: new Date().toISOString(), by: "alice", why: null };
}

/** A gateway on which v1 and then v2 were active. */
async function runningGateway() {
  const made = createWorld("v1");
  const keeper = made.keep();
  await keeper.start();
  made.world.has = "v2";
  await keeper.refresh();
  expect(made.world.activated).toEqual(["v1", "v2"]);
  return { ...made, keeper };
}

test("a hold is followed though the gateway notes a poll before it looks", async () => {
  const { world, change, keeper } = await runningGateway();
  await change((before) => hold(before, chosen("v1")));
  await keeper.refresh();
  await expect.poll(() => world.activated, patience).toEqual(["v1", "v2", "v1"]);
});

test("a hold is followed though the gateway refuses a bundle before it looks", async () => {
  const { world, change, keeper } = await runningGateway();
  world.has = "v3";
  world.bad.set("v3", "bundle_unverified");
  await change((before) => hold(before, chosen("v1")));
  await keeper.refresh();
  await expect.poll(() => world.activated, patience).toEqual(["v1", "v2", "v1"]);
});

test("a resumption and a revocation are followed though the gateway notes polls", async () => {
  const { world, change, keeper } = await runningGateway();
  await change((before) => hold(before, chosen("v1")));
  await keeper.refresh();
  await expect.poll(() => world.activated, patience).toEqual(["v1", "v2", "v1"]);
  await change(resume);
  await keeper.refresh();
  await expect.poll(() => world.activated, patience).toEqual(["v1", "v2", "v1", "v2"]);
  await change((before) => revoke(before, chosen("v2")));
  await keeper.refresh();
  await expect.poll(() => world.activated, patience).toEqual(["v1", "v2", "v1", "v2", "v1"]);
});

test("a bundle that waits is activated from what was kept of it, since not every source has it by digest", async () => {
  const { world, keep, change } = createWorld("v1");
  const keeper = keep({ activation: "manual" });
  await keeper.start();
  world.has = "v2";
  await keeper.refresh();
  const { fetches } = world;
  await change((before) => hold(before, chosen("v2")));
  await expect.poll(() => world.activated, patience).toEqual(["v1", "v2"]);
  expect(world.fetches).toBe(fetches);
});
