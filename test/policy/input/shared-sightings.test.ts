/**
 * What replicas share about conversations, the same in Postgres and in Redis.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import type { ConversationCounts } from "../../../src/contract/vouched-conversation.ts";
import { vouchedConversation } from "../../../src/contract/vouched-conversation.ts";
import type { ConversationView } from "../../../src/policy/input/conversation.ts";
import { Conversation } from "../../../src/policy/input/conversation.ts";
import type { SightingPlace, SightingStore } from "../../../src/policy/input/shared-sightings.ts";
import { openSightings } from "../../../src/policy/input/shared-sightings.ts";
import type { TestPostgres } from "../../support/postgres.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import type { TestRedis } from "../../support/redis.ts";
import { startTestRedis } from "../../support/redis.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const start = Date.parse("2026-11-22T10:00:00Z");
const hour = 60 * 60_000;
const pii = { dataClasses: ["pii"], labels: ["untrusted_content"] };
const seesBoth = { data_classes_seen: ["pii"], labels_seen: ["untrusted_content"] };
const seesNothing = { data_classes_seen: [], labels_seen: [] };

const postgres: TestPostgres | undefined = await startTestPostgres();
const redis: TestRedis | undefined = await startTestRedis();
let database = "";

beforeAll(async () => {
  database = (await postgres?.createDatabase()) ?? "";
});

afterAll(async () => {
  await redis?.stop();
  await postgres?.close();
});

const stores: SightingStore[] = [];
const opened: Conversation[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close().catch(() => undefined)));
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

const kinds = [
  ...(postgres === undefined ? [] : ["postgres" as const]),
  ...(redis === undefined ? [] : ["redis" as const]),
];

function placeOf(kind: "postgres" | "redis"): SightingPlace {
  const isRedis = kind === "redis";
  const decisions = isRedis
    ? ({ kind: "embedded" } as const)
    : { kind: "postgres" as const, url: database };
  return { redisUrl: isRedis ? redis?.url : undefined, decisions };
}

interface Replica {
  readonly all: Conversation;
  readonly named: (id: string, least?: ConversationCounts) => ConversationView;
}

async function replica(
  kind: "postgres" | "redis",
  principal: string,
  maxVouched?: number,
): Promise<Replica> {
  const store = await openSightings(placeOf(kind));
  stores.push(store);
  const shared = store.of(principal);
  const all = new Conversation(temporaryFolder(), newId, { shared, maxVouched });
  opened.push(all);
  return { all, named: (id, least) => all.vouched(vouchedConversation(principal, id, least)) };
}

/** The facts as a replica has them that has read. */
async function factsOf({ all, named }: Replica, id?: string, nowMs = start) {
  const view = id === undefined ? all : named(id);
  expect(await view.refresh(nowMs)).toBe(true);
  return view.measure("mail", 0, nowMs).everyone;
}

describe.each(kinds)("conversations in %s", (kind) => {
  test("are one for all replicas, and principals do not mix", async () => {
    const [one, other] = [await replica(kind, "alice"), await replica(kind, "alice")];
    const { conversation_id: id } = await factsOf(one);
    await one.all.absorb("crm", pii, start);
    expect(await factsOf(other)).toMatchObject({ ...seesBoth, conversation_id: id });
    expect(await factsOf(await replica(kind, "bob"))).toMatchObject(seesNothing);
  });

  test("that are vouched for keep apart, and are seen without a name", async () => {
    const [one, other] = [await replica(kind, "carol"), await replica(kind, "carol")];
    await factsOf(one, "a");
    await one.named("a").absorb("crm", pii, start);
    expect(await factsOf(other, "a")).toMatchObject(seesBoth);
    expect(await factsOf(other, "b")).toMatchObject(seesNothing);
    expect(await factsOf(other)).toMatchObject(seesBoth);
  });

  test("are counted together", async () => {
    const [one, other] = [await replica(kind, "dora"), await replica(kind, "dora")];
    const counted = one.named("a", { turns: 3, tokens: 900 });
    await counted.refresh(start);
    for (let turn = 0; turn < 5; turn += 1) counted.measure("crm", 400, start);
    await one.all.close();
    const later = start + 1000;
    expect(await factsOf(other, "a", later)).toMatchObject({
      turn_count: 5,
      cumulative_tokens: 900,
    });
    expect(await factsOf(other, "a", later)).toMatchObject({ turn_count: 6 });
    expect(await factsOf(other, undefined, later)).toMatchObject({ turn_count: 7 });
  });

  test("are counted from anew after a silence, whatever is still written of the last", async () => {
    const [one, other] = [await replica(kind, "dave"), await replica(kind, "dave")];
    for (let turn = 0; turn < 5; turn += 1) await factsOf(one);
    await one.all.close();
    const later = start + 31 * 60_000;
    expect(await factsOf(other, undefined, later)).toMatchObject({ turn_count: 0 });
    expect(await factsOf(other, undefined, later)).toMatchObject({ turn_count: 1 });
  });

  test("are as many as there may be, on all replicas together", async () => {
    const [one, other] = [await replica(kind, "emma", 2), await replica(kind, "emma", 2)];
    for (const id of ["a", "b"]) {
      await factsOf(one, id);
      await one.named(id).absorb("crm", pii, start);
    }
    const enter = (id: string, at: number) => other.named(id).refresh(at);
    expect(await enter("c", start)).toBe(false);
    expect(await factsOf(other, "b")).toMatchObject(seesBoth);
    expect(await enter("c", start + 13 * hour)).toBe(true);
  });

  test("keep what was seen for as long as the latest that brought it", async () => {
    const [one, other] = [await replica(kind, "fred"), await replica(kind, "fred")];
    await factsOf(one);
    await one.all.absorb("crm", pii, start + hour);
    // It has not read what the other one wrote, and its clock is behind.
    other.all.measure("crm", 0, start);
    await other.all.absorb("crm", { dataClasses: ["pii"], labels: [] }, start);
    const late = await replica(kind, "fred");
    expect((await factsOf(late, undefined, start + 12.5 * hour)).data_classes_seen).toEqual([
      "pii",
    ]);
  });

  test("are forgotten in the end", async () => {
    const one = await replica(kind, "gwen");
    await factsOf(one);
    await one.all.absorb("crm", pii, start);
    const other = await replica(kind, "gwen");
    expect(await factsOf(other, undefined, start + 13 * hour)).toMatchObject(seesNothing);
  });
});

test.runIf(redis !== undefined)("a Redis that is away is no empty one", async () => {
  const own = await startTestRedis();
  const store = await openSightings({
    redisUrl: own?.url,
    decisions: { kind: "embedded" },
  });
  stores.push(store);
  const shared = store.of("hans");
  const all = new Conversation(temporaryFolder(), newId, { shared });
  await all.refresh(start);
  all.measure("crm", 0, start);
  await own?.stop();
  await expect(all.refresh(start)).rejects.toThrow("expected a redis server");
  await expect(all.absorb("crm", pii, start)).rejects.toThrow("expected a redis server");
  await own?.start();
  expect(await all.refresh(start)).toBe(true);
  await all.close();
  await own?.stop();
});
