/**
 * What a source does that means no good, or is only slow: nothing of it keeps what people decided, or
 * the last good bundle, from deciding.
 */
import { describe, expect, test } from "vitest";
import type { BundleActivation } from "../../../src/contract/bundle.ts";
import { hold, revoke } from "../../../src/bundle/life/history-changes.ts";
import { nextDelayMs } from "../../../src/bundle/life/poll-delay.ts";
import { createWorld, digestOf } from "./fake-source.ts";

const patience = { timeout: 20_000 };
const by = { at: "2026-11-22T12:00:00Z", by: "alice", why: "it leaks" };
const chosen = (name: string) => ({ ...by, digest: digestOf(name) });

describe("a source that hangs", () => {
  test.each([
    ["a choice", hold, "v1"],
    ["a revocation", revoke, "v2"],
  ])("holds up no %s", async (_, decide, name) => {
    const { world, keep, change } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    await keeper.refresh();
    world.isHung = true;
    void keeper.refresh();
    await change((before) => decide(before, chosen(name)));
    await expect.poll(() => world.activated.at(-1), patience).toBe("v1");
  });

  test("while it is fetched from keeps no start without its last good bundle", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep();
    await first.start();
    await first.close();
    world.has = "v2";
    world.isDripping = true;
    await keep().start();
    expect(world.activated).toEqual(["v1", "v1"]);
  });
});

describe("a source that makes something throw", () => {
  test("keeps no start without its last good bundle", async () => {
    const { world, keep } = createWorld("v1");
    const first = keep();
    await first.start();
    await first.close();
    world.has = "v2";
    world.bad.set("v2", "unexpected");
    const second = keep();
    await second.start();
    expect(world.activated).toEqual(["v1", "v1"]);
    expect(world.changes.at(-1)).toMatchObject({ event: "rejected", code: "unexpected" });
  });

  test("with words without end leaves a history that can be read", async () => {
    const { world, keep, history } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.away = "bundle_protocol_invalid";
    world.words = "x".repeat(3 * 1024 * 1024);
    await keeper.refresh();
    const { status, active } = await history();
    expect([status.code, active?.revision]).toEqual(["bundle_protocol_invalid", "v1"]);
    expect(status.message?.length).toBeLessThanOrEqual(1000);
  });
});

describe("a bundle that was revoked", () => {
  test("does not come back in another envelope, nor while it is prepared", async () => {
    const { world, keep, change } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    await keeper.refresh();
    await change((before) => revoke(before, chosen("v2")));
    await expect.poll(() => world.activated.at(-1), patience).toBe("v1");
    world.has = "v2 again";
    world.contentOf.set("v2 again", "v2");
    await keeper.refresh();
    expect(world.activated).toEqual(["v1", "v2", "v1"]);
  });

  test("while it is prepared is not made active", async () => {
    const { world, keep, change } = createWorld("v1");
    const keeper = keep();
    await keeper.start();
    world.has = "v2";
    world.whilePreparing = () => change((before) => revoke(before, chosen("v2")));
    await keeper.refresh();
    expect(world.activated).toEqual(["v1"]);
    expect(world.changes.at(-1)).toMatchObject({ event: "rejected", code: "bundle_revoked" });
  });

  test("and named by the lock is not made active at a start", async () => {
    const { world, keep, change, nameIt } = createWorld("v2");
    const locked = { digest: digestOf("v1"), version: { id: nameIt("v1") } };
    await change((before) => revoke(before, chosen("v1")));
    await keep({ locked }).start();
    expect(world.activated).toEqual([]);
  });

  test("is withdrawn until that has worked", async () => {
    const { world, keep, change } = createWorld("v1");
    const outcomes: BundleActivation[] = [];
    const refusal = { ok: false, code: "policy_worker_lost", message: "no thread" } as const;
    const keeper = keep(
      {},
      {
        activate: async (bundle) => {
          if (bundle !== undefined) return { ok: true };
          outcomes.push(outcomes.length < 2 ? refusal : { ok: true });
          return outcomes.at(-1) ?? refusal;
        },
      },
    );
    await keeper.start();
    await change((before) => revoke(before, chosen("v1")));
    await expect.poll(() => outcomes.length, patience).toBe(3);
    await expect
      .poll(() => world.changes.some(({ event }) => event === "withdrawn"), patience)
      .toBe(true);
    expect(world.changes.filter(({ event }) => event === "withdrawn")).toHaveLength(1);
  });
});

describe("a source that answers at once what it was to hold back", () => {
  test("is asked again a second later", () => {
    const random = () => 0.5;
    const timing = { pollMs: 60_000, failures: 0, askAgainMs: 0, random };
    expect(nextDelayMs(timing)).toBe(1000);
  });
});
