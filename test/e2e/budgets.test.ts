/**
 * Budgets hold, whoever counts: whole gateways race for one budget, are killed in the middle of it and
 * have their clocks moved, and what the server received never goes beyond it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startTestPostgres } from "../support/postgres.ts";
import type { TestRedis } from "../support/redis.ts";
import { startTestRedis, testAuthority } from "../support/redis.ts";
import type { CountPlace } from "./budget-world.ts";
import {
  buildBudgetPolicy,
  limit,
  makeBudgetWorld,
  race,
  raceSlowly,
  together,
} from "./budget-world.ts";

const postgres = await startTestPostgres();
const redis = await startTestRedis();
const secureRedis = await startTestRedis({ isTls: true });
let policy = "";

beforeAll(async () => {
  policy = await buildBudgetPolicy();
}, 60_000);

afterAll(async () => {
  await postgres?.close();
  await redis?.stop();
  await secureRedis?.stop();
});

const twoHoursMs = 2 * 3_600_000;
const folderPlace: CountPlace = { config: {}, env: {}, isOneFolder: true };
const places = {
  "one state folder": async () => folderPlace,
  ...(postgres === undefined ? {} : { "one Postgres": placeInPostgres }),
  ...(redis === undefined ? {} : { "one Redis": async () => await placeInRedis(redis) }),
};

async function placeInPostgres(): Promise<CountPlace> {
  const url = (await postgres?.createDatabase()) ?? "";
  const config = { decisions: { store: "${env:DATABASE_URL}" } };
  return { config, env: { DATABASE_URL: url }, isOneFolder: false };
}

/** Each place begins with nothing counted. */
async function placeInRedis({ url, stop, start }: TestRedis): Promise<CountPlace> {
  await stop();
  await start();
  const config = { state: { redis_url: "${env:REDIS_URL}" } };
  const env = { REDIS_URL: url, NODE_EXTRA_CA_CERTS: testAuthority };
  return { config, env, isOneFolder: false };
}

describe("a budget of 37 calls", { timeout: 180_000 }, () => {
  test("lets 37 of 200 racing calls of one gateway reach the server", async () => {
    const world = makeBudgetWorld(policy, folderPlace);
    const client = await world.open();
    const report = await race(client, 200);
    expect(report).toEqual({ admitted: limit, exhausted: 200 - limit, strange: [] });
    expect(world.reached()).toBe(limit);
    await client.end();
  });
});

describe.each(Object.entries(places))(
  "a budget of 37 calls of two gateways on %s",
  { timeout: 180_000 },
  (_, placeOf) => {
    test("lets 37 of 200 racing calls reach the server", async () => {
      const world = makeBudgetWorld(policy, await placeOf());
      const clients = await Promise.all([world.open(), world.open()]);
      const report = together(await Promise.all(clients.map((client) => race(client, 100))));
      expect(report).toEqual({ admitted: limit, exhausted: 200 - limit, strange: [] });
      expect(world.reached()).toBe(limit);
      expect(await world.used()).toBe(limit);
      await Promise.all(clients.map((client) => client.end()));
    });

    test("keeps what a gateway used that was killed in the middle", async () => {
      const world = makeBudgetWorld(policy, await placeOf());
      const [victim, survivor] = await Promise.all([world.open(), world.open()]);
      void raceSlowly(victim, 100);
      const surviving = raceSlowly(survivor, 100);
      await eventually(() => world.reached() >= 12);
      expect(world.reached()).toBeLessThan(limit);
      victim.child.kill("SIGKILL");
      const told = await surviving;
      expect(told.strange).toEqual([]);
      expect(told.admitted + told.exhausted).toBe(100);
      expect(await world.used()).toBe(limit);

      const again = await world.open();
      expect(await race(again, 50)).toEqual({ admitted: 0, exhausted: 50, strange: [] });
      expect(world.reached()).toBeLessThanOrEqual(limit);
      expect(world.reached()).toBeGreaterThanOrEqual(told.admitted);
      expect(await world.used()).toBe(limit);
      await Promise.all([survivor.end(), again.end()]);
    });

    test("is not begun anew by clocks that are moved two hours", async () => {
      const world = makeBudgetWorld(policy, await placeOf());
      const [moved, behind] = await Promise.all([
        world.open({ stepMs: twoHoursMs }),
        world.open({ skewMs: -twoHoursMs }),
      ]);
      const before = await race(moved, 20);
      expect(before).toEqual({ admitted: 20, exhausted: 0, strange: [] });
      moved.child.kill("SIGUSR2");
      await delay(100);
      const clients = [moved, behind];
      const after = together(await Promise.all(clients.map((client) => race(client, 100))));
      expect(after).toEqual({ admitted: limit - 20, exhausted: 200 - limit + 20, strange: [] });
      const ahead = await world.open({ skewMs: twoHoursMs });
      expect(await race(ahead, 20)).toEqual({ admitted: 0, exhausted: 20, strange: [] });
      expect(world.reached()).toBe(limit);
      await Promise.all([...clients, ahead].map((client) => client.end()));
    });
  },
);

test.runIf(secureRedis)(
  "a budget is shared over a Redis whose certificate a private authority vouches for",
  { timeout: 120_000 },
  async () => {
    if (secureRedis === undefined) throw new Error("expected a server");
    const world = makeBudgetWorld(policy, await placeInRedis(secureRedis));
    const clients = await Promise.all([world.open(), world.open()]);
    const report = together(await Promise.all(clients.map((client) => race(client, 100))));
    expect(report).toEqual({ admitted: limit, exhausted: 200 - limit, strange: [] });
    expect(world.reached()).toBe(limit);
    await Promise.all(clients.map((client) => client.end()));
  },
);

test.runIf(secureRedis)(
  "a Redis whose certificate nobody vouches for counts nothing, and nothing is let through",
  { timeout: 120_000 },
  async () => {
    if (secureRedis === undefined) throw new Error("expected a server");
    const place = await placeInRedis(secureRedis);
    const env = { ...place.env, NODE_EXTRA_CA_CERTS: "" };
    const world = makeBudgetWorld(policy, { ...place, env });
    const client = await world.open();
    const { strange } = await race(client, 1);
    expect(strange.join("")).toContain("state_unavailable");
    expect(world.reached()).toBe(0);
    await client.end();
  },
);

test("a budget outlives all gateways that counted for it", { timeout: 120_000 }, async () => {
  const world = makeBudgetWorld(policy, folderPlace);
  const first = await world.open();
  void raceSlowly(first, 100);
  await eventually(() => world.reached() >= 8);
  first.child.kill("SIGKILL");
  const usedByFirst = await world.used();
  expect(usedByFirst).toBeGreaterThanOrEqual(8);
  const second = await world.open();
  const report = await race(second, 200);
  expect(report.strange).toEqual([]);
  expect(report.admitted).toBe(limit - usedByFirst);
  expect(world.reached()).toBeLessThanOrEqual(limit);
  await second.end();
});
