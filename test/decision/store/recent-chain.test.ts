/**
 * A chain that is read from a place on: the same records as from the beginning, and only the days that
 * they lie in.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { Database, Queryable } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import type { ChainPlace } from "../../../src/decision/store/stored-chain.ts";
import {
  storedChain,
  storedChainFrom,
  storedWriters,
} from "../../../src/decision/store/stored-chain.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { checkpoints, dayMs, idAt } from "../retention/old-records.ts";
import { allowed, logOptions, outcome } from "../support.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

describe.skipIf(postgres === undefined)("a chain of ten days", { timeout: 90_000 }, () => {
  let database: Database;
  let writer = "";
  const nowMs = Date.now();

  beforeAll(async () => {
    const stateDir = temporaryFolder();
    const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
    const late = idAt(nowMs - 9 * dayMs);
    for (let daysAgo = 9; daysAgo >= 0; daysAgo -= 1) {
      const timeMs = nowMs - daysAgo * dayMs;
      const decisionId = daysAgo === 9 ? late : idAt(timeMs);
      await log.admit(allowed({ decisionId, timeMs }));
      if (daysAgo < 9) log.settle(outcome(decisionId, { timeMs }));
      // The first call ends when all others have begun but one.
      if (daysAgo === 1) log.settle(outcome(late, { timeMs }));
    }
    await log.close();
    database = await openMigrated((await postgres?.createDatabase()) ?? "");
    const spool = spoolFolder(stateDir, "embedded");
    await takeIn(database, { spool, clock: systemClock, log: createTestLog() });
    [writer = ""] = await storedWriters(database);
  });
  afterAll(() => database.close());

  async function placesOf(chain: AsyncIterable<{ seq: number }>): Promise<readonly number[]> {
    const places: number[] = [];
    for await (const { seq } of chain) places.push(seq);
    return places;
  }

  /** Days of headers, payloads and differences that a statement was planned to read. */
  async function daysRead(read: (database: Queryable) => Promise<unknown>): Promise<number> {
    const names = new Set<string>();
    await read({
      script: database.script,
      query: async (text, parameters) => {
        const plan = await database.query(`EXPLAIN (FORMAT JSON) ${text}`, parameters);
        const found = JSON.stringify(plan).matchAll(/"Relation Name":"(\w+_\d{8})"/g);
        for (const [, name = ""] of found) names.add(name.slice(-8));
        return await database.query(text, parameters);
      },
    });
    return names.size;
  }

  const from = (seq: number, daysAgo: number): ChainPlace => ({
    seq,
    timeMs: nowMs - daysAgo * dayMs,
  });

  test("is the same from any place on, also where an outcome lies in a day long before", async () => {
    const whole = await placesOf(storedChain(database, writer));
    expect(whole).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    for (const seq of [0, 5, 15, 17, 18, 19, 20]) {
      const places = await placesOf(storedChainFrom(database, writer, from(seq, 1)));
      expect(places).toEqual(whole.slice(seq));
    }
  });

  test("is read from the days that matter, and from all where places are missing", async () => {
    const firstPage = async (store: Queryable, place: ChainPlace): Promise<unknown> =>
      await storedChainFrom(store, writer, place).next();
    expect(await daysRead((store) => firstPage(store, from(18, 0.5)))).toBeLessThan(5);
    expect(await daysRead((store) => firstPage(store, from(15, 0.5)))).toBeGreaterThan(6);
  });

  test("belongs to a writer of those days", async () => {
    expect(await storedWriters(database, nowMs - dayMs / 2)).toEqual([writer]);
    expect(await storedWriters(database, nowMs + 2 * dayMs)).toEqual([]);
    const recent = (store: Queryable): Promise<unknown> => storedWriters(store, nowMs - dayMs / 2);
    expect(await daysRead(recent)).toBeLessThan(6);
  });
});
