/**
 * What every store of counters promises, on the real things: a journal in a folder, PostgreSQL, Redis.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { openUsageStore } from "../../../src/policy/usage/open-usage-store.ts";
import type { Charge, UsageStore } from "../../../src/policy/usage/usage-store.ts";
import { toMillionths } from "../../../src/policy/usage/usage-store.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { startTestRedis } from "../../support/redis.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { Place } from "./racers.ts";
import { chargeOf, hasFaketime, startRacer } from "./racers.ts";

const postgres = await startTestPostgres();
const redis = await startTestRedis();
afterAll(async () => {
  await postgres?.close();
  await redis?.stop();
});
if (!hasFaketime) {
  if (process.env["CI"] === "true") throw new Error("expected faketime on the PATH");
  console.warn("skipped: expected faketime on the PATH");
}

const kinds = [
  "journal",
  ...(postgres === undefined ? [] : ["postgres"]),
  ...(redis === undefined ? [] : ["redis"]),
];
let tenants = 0;

async function placeOf(kind: string): Promise<Place> {
  const tenant = `default${(tenants += 1)}`;
  const common = { tenant, stateDir: temporaryFolder(), decisions: { kind: "embedded" } } as const;
  if (kind === "redis") return { ...common, redisUrl: redis?.url };
  if (kind === "journal") return { ...common, redisUrl: undefined };
  const url = (await postgres?.createDatabase()) ?? "";
  return { ...common, redisUrl: undefined, decisions: { kind: "postgres", url } };
}

async function openAt(place: Place): Promise<UsageStore> {
  const store = await openUsageStore({ ...place, clock: systemClock });
  onTestFinished(() => store.close());
  return store;
}

async function admitted(store: UsageStore, ...charges: readonly Charge[]): Promise<boolean> {
  return (await store.reserve(charges)).isAdmitted;
}

async function usedOf(store: UsageStore, { key }: Charge): Promise<number | undefined> {
  return (await store.list("[")).find((state) => state.key === key)?.used;
}

const k = 37;
const budget = chargeOf({ limit: k });

describe.each(kinds)("counters in %s", { timeout: 120_000 }, (kind) => {
  test("of 200 racing calls of one process exactly k are admitted", async () => {
    const store = await openAt(await placeOf(kind));
    const all = await Promise.all(Array.from({ length: 200 }, () => admitted(store, budget)));
    expect(all.filter(Boolean)).toHaveLength(k);
    expect(await usedOf(store, budget)).toBe(toMillionths(k));
  });

  test("of 200 racing calls of two processes exactly k are admitted", async () => {
    const place = await placeOf(kind);
    const race = { place, charge: budget, calls: 100, atOnce: true };
    const racers = await Promise.all([startRacer(race), startRacer(race)]);
    for (const { go } of racers) go();
    await Promise.all(racers.map(({ ended }) => ended));
    const counts = racers.map((racer) => racer.admitted());
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(k);
    expect(await usedOf(await openAt(place), budget)).toBe(toMillionths(k));
  });

  test("what a killed process had reserved counts, and not one more is admitted", async () => {
    const place = await placeOf(kind);
    const race = { place, charge: budget, calls: 100 };
    const victim = await startRacer({ ...race, atOnce: false });
    victim.go();
    await victim.saidAdmitted(5);
    victim.kill();
    const others = [
      await startRacer({ ...race, atOnce: true }),
      await startRacer({ ...race, atOnce: true }),
    ];
    for (const { go } of others) go();
    await Promise.all([victim.ended, ...others.map(({ ended }) => ended)]);
    const said = [victim, ...others].reduce((sum, racer) => sum + racer.admitted(), 0);
    // One call of the victim may have been on its way when it was killed.
    expect(said).toBeGreaterThanOrEqual(k - 1);
    expect(said).toBeLessThanOrEqual(k);
    const store = await openAt(place);
    expect(await usedOf(store, budget)).toBe(toMillionths(k));
    expect(await admitted(store, budget)).toBe(false);
  });

  test.skipIf(!hasFaketime)(
    "a process whose clock is two hours off is not admitted to a window that is full",
    async () => {
      const place = await placeOf(kind);
      // Begins at a time that no test meets.
      const charge = chargeOf({ limit: k, window: { type: "sliding", ms: 3_600_000 } });
      const store = await openAt(place);
      for (let made = 0; made < k - 1; made += 1) await store.reserve([charge]);
      const race = { place, charge, calls: 100, atOnce: true };
      const racers = [
        await startRacer({ ...race, clock: "+2h" }),
        await startRacer({ ...race, clock: "-2h" }),
      ];
      for (const { go } of racers) go();
      await Promise.all(racers.map(({ ended }) => ended));
      expect(racers.reduce((sum, racer) => sum + racer.admitted(), 0)).toBe(1);
      expect(await admitted(store, charge)).toBe(false);
    },
  );

  test.skipIf(!hasFaketime)(
    "a process whose clock is two hours ahead or behind locks nobody out",
    async () => {
      const place = await placeOf(kind);
      const charge = chargeOf({ limit: 1, window: { type: "sliding", ms: 2_000 } });
      for (const clock of ["+2h", "-2h"]) {
        const racer = await startRacer({ place, charge, calls: 20, atOnce: false, clock });
        racer.go();
        await racer.ended;
        expect(racer.admitted()).toBeGreaterThanOrEqual(1);
        await sleep(2_600);
        expect(await admitted(await openAt(place), charge)).toBe(true);
        await sleep(2_600);
      }
    },
  );

  test("takes all charges of a call or none", async () => {
    const store = await openAt(await placeOf(kind));
    const [wide, narrow] = [chargeOf({ name: "wide", limit: 5 }), chargeOf({ limit: 1 })];
    expect(await admitted(store, wide, narrow)).toBe(true);
    expect(await admitted(store, wide, narrow)).toBe(false);
    expect(await usedOf(store, wide)).toBe(toMillionths(1));
  });

  test("counts an attempt that is refused, over its own limit too", async () => {
    const store = await openAt(await placeOf(kind));
    const attempts = chargeOf({ name: "attempts", limit: 2, cost: { type: "attempts" } });
    const calls = chargeOf({ limit: 1 });
    const all = [];
    for (let made = 0; made < 4; made += 1) all.push(await admitted(store, attempts, calls));
    expect(all).toEqual([true, false, false, false]);
    expect(await usedOf(store, attempts)).toBe(toMillionths(4));
  });

  test("reads what was used before the call, and when more is free", async () => {
    const store = await openAt(await placeOf(kind));
    // A window that ends in the year 2096, so that no test meets its end.
    const ms = 4_000_000_000_000;
    const charge = chargeOf({ limit: 3, window: { type: "fixed", ms } });
    await store.reserve([charge]);
    const { readings } = await store.reserve([charge]);
    expect(readings).toEqual([
      { used: toMillionths(1), limit: toMillionths(3), startMs: 0, resetsAtMs: ms },
    ]);
    const endless = await store.reserve([chargeOf({ name: "budget" })]);
    expect(endless.readings[0]).toMatchObject({ startMs: 0, resetsAtMs: undefined });
  });

  test("begins anew with the next fixed window", async () => {
    const store = await openAt(await placeOf(kind));
    const charge = chargeOf({ limit: 1, window: { type: "fixed", ms: 2_000 } });
    let startMs = 0;
    let refused = 0;
    for (let windows = 0; windows < 3 || refused < 2;) {
      const { isAdmitted, readings } = await store.reserve([charge]);
      const begunMs = readings[0]?.startMs ?? 0;
      // The first of a window, and no other.
      expect(isAdmitted).toBe(begunMs > startMs);
      expect(begunMs % 2_000).toBe(0);
      if (isAdmitted) windows += 1;
      else refused += 1;
      startMs = begunMs;
      await sleep(200);
    }
  });

  test("gives back and adds, never below nothing", async () => {
    const store = await openAt(await placeOf(kind));
    const charge = chargeOf({ limit: 1 });
    const { readings } = await store.reserve([charge]);
    const startMs = readings[0]?.startMs ?? -1;
    expect(await admitted(store, charge)).toBe(false);
    await store.correct([{ key: charge.key, startMs, delta: -charge.amount * 3 }]);
    expect(await usedOf(store, charge)).toBe(0);
    expect(await admitted(store, charge)).toBe(true);
    await store.correct([{ key: charge.key, startMs, delta: toMillionths(0.25) }]);
    expect(await usedOf(store, charge)).toBe(toMillionths(1.25));
  });

  test("keeps fractions exact", async () => {
    const store = await openAt(await placeOf(kind));
    const tenth = chargeOf({ limit: 0.3 }, { amount: 0.1 });
    const all = [];
    for (let made = 0; made < 4; made += 1) all.push(await admitted(store, tenth));
    expect(all).toEqual([true, true, true, false]);
  });

  test("raises a limit for a time, and until it is reset", async () => {
    const store = await openAt(await placeOf(kind));
    const charge = chargeOf({ limit: 1 });
    const amount = toMillionths(1);
    expect(await store.grant({ key: charge.key, amount, forMs: undefined })).toBe(false);
    expect(await admitted(store, charge)).toBe(true);
    expect(await store.grant({ key: charge.key, amount, forMs: 3_600_000 })).toBe(true);
    expect((await store.list("["))[0]).toMatchObject({ granted: amount, limit: amount });
    expect(await store.reset(charge.key)).toBe(true);
    expect(await admitted(store, charge)).toBe(true);
    expect(await store.grant({ key: charge.key, amount, forMs: 500 })).toBe(true);
    await eventually(async () => (await store.list("["))[0]?.granted === 0);
    expect(await admitted(store, charge)).toBe(false);
    expect(await store.grant({ key: charge.key, amount, forMs: undefined })).toBe(true);
    expect(await admitted(store, charge)).toBe(true);
    expect(await admitted(store, charge)).toBe(false);
    expect(await store.reset(charge.key)).toBe(true);
    expect((await store.list("["))[0]).toMatchObject({ used: 0, granted: 0 });
    expect(await admitted(store, charge)).toBe(true);
    expect(await admitted(store, charge)).toBe(false);
    expect(await store.reset("[]")).toBe(false);
  });

  test("says one conversation to all who ask at once, and to those who come later", async () => {
    const place = await placeOf(kind);
    const [one, other] = [await openAt(place), await openAt(place)];
    const said = await Promise.all(
      Array.from({ length: 40 }, (_, turn) => {
        const joining = { key: "alice", conversation: `c${turn}`, silenceMs: 60_000 };
        return (turn % 2 === 0 ? one : other).join(joining);
      }),
    );
    expect(new Set(said).size).toBe(1);
    const late = { key: "alice", conversation: "late", silenceMs: 60_000 };
    expect(await (await openAt(place)).join(late)).toBe(said[0]);
    expect(await one.join({ ...late, key: "bob" })).toBe("late");
    expect(await one.list("")).toEqual([]);
  });

  test("begins another conversation after its silence, and not before", async () => {
    const store = await openAt(await placeOf(kind));
    const silenceMs = 2_500;
    const marginMs = 250;
    const join = async (conversation: string) => {
      const askedMs = performance.now();
      const said = await store.join({ key: "alice", conversation, silenceMs });
      return { said, askedMs, answeredMs: performance.now() };
    };
    let before = await join("c0");
    let began = before;
    expect(before.said).toBe("c0");
    // A conversation that goes on for longer than its silence. A machine that stood still makes one.
    for (let turn = 1; before.askedMs - began.answeredMs <= silenceMs + marginMs; turn += 1) {
      await sleep(800);
      const next = await join(`c${turn}`);
      const wasShort = next.answeredMs - before.askedMs < silenceMs - marginMs;
      expect(wasShort && next.said !== before.said).toBe(false);
      if (next.said !== before.said) began = next;
      before = next;
    }
    await sleep(silenceMs + marginMs);
    expect((await join("another")).said).toBe("another");
  });

  test("counts each key for itself and lists them by key", async () => {
    const store = await openAt(await placeOf(kind));
    const [alice, bob] = ["alice", "bob"].map((user) => chargeOf({ limit: 1 }, { user }));
    if (alice === undefined || bob === undefined) throw new Error("expected two");
    expect(await admitted(store, bob)).toBe(true);
    expect(await admitted(store, alice)).toBe(true);
    expect((await store.list("[")).map(({ key }) => key)).toEqual([alice.key, bob.key]);
    expect(await store.list('["other",')).toEqual([]);
  });
});
