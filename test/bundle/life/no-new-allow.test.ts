/**
 * `activation: "no_new_allow"`: what is new is vetted before it is active, and waits where it does not
 * pass.
 */
import { expect, test } from "vitest";
import type { Vetting } from "../../../src/bundle/life/vet-candidate.ts";
import { eventually } from "../../support/eventually.ts";
import { createWorld } from "./fake-source.ts";

const cadence = { activation: "no_new_allow" } as const;
const refused: Vetting = { ok: false, code: "newly_allows", message: "it newly allows 2 of crm/x" };

test("the first bundle is active unseen, and the next once it has passed", async () => {
  const { world, keep } = createWorld("v1");
  const vetted: string[] = [];
  world.vet = async (name) => {
    vetted.push(name);
    return { ok: true, message: "newly allows none" };
  };
  const keeper = keep(cadence);
  await keeper.start();
  world.has = "v2";
  await keeper.refresh();
  expect(vetted).toEqual(["v2"]);
  expect(world.activated).toEqual(["v1", "v2"]);
});

test("one that newly allows something waits with the reason, and is not asked about again", async () => {
  const { world, keep, history } = createWorld("v1");
  let vettings = 0;
  world.vet = async () => {
    vettings += 1;
    return refused;
  };
  const keeper = keep(cadence);
  await keeper.start();
  world.has = "v2";
  await keeper.refresh();
  await keeper.refresh();
  expect(world.activated).toEqual(["v1"]);
  const { code, message } = refused;
  expect((await history()).candidate).toMatchObject({
    revision: "v2",
    state: "waiting",
    code,
    message,
  });
  await keeper.close();
  await keep(cadence).start();
  expect(world.activated).toEqual(["v1", "v1"]);
  expect(vettings).toBe(1);
});

test("one whose history cannot be read waits, and is asked about again", async () => {
  const { world, keep, history } = createWorld("v1");
  const answers: Vetting[] = [
    { ok: false, code: "history_unreadable", message: "the store is away" },
  ];
  world.vet = async () => answers.shift() ?? { ok: true, message: "newly allows none" };
  const keeper = keep(cadence);
  await keeper.start();
  world.has = "v2";
  await keeper.refresh();
  expect((await history()).candidate).toMatchObject({
    state: "waiting",
    code: "history_unreadable",
  });
  expect(world.activated).toEqual(["v1"]);
  await keeper.refresh();
  expect(world.activated).toEqual(["v1", "v2"]);
});

test("what somebody decides ends a vetting, and the new one is not active", async () => {
  const { world, keep, change, history } = createWorld("v1");
  const keeper = keep(cadence);
  await keeper.start();
  world.has = "v2";
  world.vet = async (_, signal) => {
    const { digest } = (await history()).active ?? {};
    const at = new Date().toISOString();
    await change((before) => ({
      ...before,
      hold: digest === undefined ? null : { digest, at, by: "carol", why: "stay", way: "rollback" },
    }));
    // Whoever decides ends the vetting.
    await eventually(() => signal.aborted);
    return { ok: true, message: "newly allows none" };
  };
  await keeper.refresh();
  expect(world.activated).not.toContain("v2");
});
