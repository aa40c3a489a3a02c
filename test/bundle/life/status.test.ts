/**
 * What is kept of a source says how it is now: what its source has, what somebody chose and what is
 * wrong are told apart, and what is over is forgotten.
 */
import { expect, test } from "vitest";
import { hold, previousGood, resume, revoke } from "../../../src/bundle/life/history-changes.ts";
import { createWorld, digestOf } from "./fake-source.ts";

const patience = { timeout: 20_000 };
const by = { at: "2026-11-22T12:00:00Z", by: "alice", why: "it denies too much" };

function rollbackTo(name: string, at = by.at) {
  return { ...by, at, digest: digestOf(name), way: "rollback" } as const;
}

test("a bundle that was refused is forgotten when its source takes it back", async () => {
  const { world, keep, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  world.bad.set("v2", "bundle_tests_failed");
  world.has = "v2";
  await keeper.refresh();
  expect((await history()).candidate).toMatchObject({ state: "rejected" });
  world.has = "v1";
  await keeper.refresh();
  expect((await history()).candidate).toBeNull();
});

test("a bundle that was refused is forgotten when the next one is active", async () => {
  const { world, keep, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  world.bad.set("v2", "bundle_tests_failed");
  world.has = "v2";
  await keeper.refresh();
  world.has = "v3";
  await keeper.refresh();
  expect(await history()).toMatchObject({ active: { revision: "v3" }, candidate: null });
});

test("a bundle that waits is not forgotten when somebody goes back", async () => {
  const { world, keep, change, history } = createWorld("v1");
  const keeper = keep({ activation: "manual" });
  await keeper.start();
  world.has = "v2";
  await keeper.refresh();
  await change((before) => hold(before, { ...by, digest: digestOf("v2"), way: "activate" }));
  await expect.poll(() => world.activated.at(-1), patience).toBe("v2");
  world.has = "v3";
  await keeper.refresh();
  await change((before) => hold(before, rollbackTo("v1")));
  await expect.poll(async () => (await history()).active?.revision, patience).toBe("v1");
  expect((await history()).candidate).toMatchObject({ revision: "v3", state: "waiting" });
});

test("a source that is away and a bundle that was refused are told apart", async () => {
  const { world, keep, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  world.bad.set("v2", "bundle_tests_failed");
  world.has = "v2";
  await keeper.refresh();
  world.away = "bundle_unreachable";
  await keeper.refresh();
  expect(await history()).toMatchObject({
    status: { code: "bundle_unreachable" },
    candidate: { code: "bundle_tests_failed" },
  });
  world.away = undefined;
  await keeper.refresh();
  expect(await history()).toMatchObject({
    status: { code: null, message: null },
    candidate: { code: "bundle_tests_failed" },
  });
});

test("a start from the cache does not hide that the source is away", async () => {
  const { world, keep, history, stateDir } = createWorld("v1");
  const first = keep();
  await first.start();
  await first.close();
  world.away = "bundle_unreachable";
  await keep().start();
  expect(stateDir).not.toBe("");
  expect(await history()).toMatchObject({
    active: { revision: "v1" },
    status: { code: "bundle_unreachable" },
  });
});

test("a choice that could not be followed is good again when it can be", async () => {
  const { world, keep, change, history, nameIt } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  const choice = { ...by, digest: digestOf("v0"), way: "activate" } as const;
  await change((before) => hold(before, choice));
  await expect
    .poll(async () => (await history()).hold?.code, patience)
    .toBe("bundle_digest_mismatch");
  nameIt("v0");
  await change((before) => hold(before, { ...choice, at: "2026-11-22T12:00:01Z" }));
  await expect.poll(() => world.activated.at(-1), patience).toBe("v0");
  const { hold: held } = await history();
  expect(held).toMatchObject({ digest: digestOf("v0") });
  expect(held).not.toHaveProperty("code");
});

test("rollbacks go back one after the other, and forth to none that was left", async () => {
  const { world, keep, change, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  for (const name of ["v2", "v3"]) {
    world.has = name;
    await keeper.refresh();
  }
  const back = async (name: string, second: number): Promise<void> => {
    await change((before) => hold(before, rollbackTo(name, `2026-11-22T12:00:0${second}Z`)));
    await expect.poll(async () => (await history()).active?.revision, patience).toBe(name);
  };
  const next = async (): Promise<string | undefined> => previousGood(await history())?.revision;
  expect(await next()).toBe("v2");
  await back("v2", 1);
  expect(await next()).toBe("v1");
  await back("v1", 2);
  expect(await next()).toBeUndefined();
  // Going forth again takes back that v3 was left, and says nothing against v1.
  await back("v3", 3);
  expect(await next()).toBe("v1");
});

test("a rollback after a resumption leads to what was active last", async () => {
  const { world, keep, change, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  world.has = "v2";
  await keeper.refresh();
  await change((before) => hold(before, rollbackTo("v1")));
  await expect.poll(async () => (await history()).active?.revision, patience).toBe("v1");
  world.has = "v3";
  await change(resume);
  await expect.poll(async () => (await history()).active?.revision, patience).toBe("v3");
  // Not to v2, which is newer and was left for a reason.
  expect(previousGood(await history())?.revision).toBe("v1");
});

test("a revocation does not lead back to a bundle that somebody rolled back from", async () => {
  const { world, keep, change, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  for (const name of ["v2", "v3"]) {
    world.has = name;
    await keeper.refresh();
  }
  await change((before) => hold(before, rollbackTo("v2")));
  await expect.poll(async () => (await history()).active?.revision, patience).toBe("v2");
  world.away = "bundle_unreachable";
  await change((before) => revoke(before, { ...by, digest: digestOf("v2") }));
  await expect.poll(async () => (await history()).active?.revision, patience).toBe("v1");
  expect(world.activated).not.toContain(undefined);
});

test("a download says that its source was asked, however little time went by", async () => {
  const { world, keep, history } = createWorld("v1");
  const keeper = keep();
  await keeper.start();
  world.has = "v2";
  world.skewMs = 5000;
  await keeper.refresh();
  const { status } = await history();
  expect(status.last_request).toBe(status.last_successful_download);
  expect(status.last_successful_request).toBe(status.last_successful_download);
});
