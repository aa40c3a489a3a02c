import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { DecisionsConfig } from "../../../src/config/config.ts";
import type { Clock } from "../../../src/contract/ambient.ts";
import type { AdminRecord, NotedRecord } from "../../../src/contract/record.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import type { PruneApart } from "../../../src/decision/retention/keep-retention.ts";
import { keepRetention } from "../../../src/decision/retention/keep-retention.ts";
import { segmentName } from "../../../src/decision/spool/segment.ts";
import {
  listSegments,
  listWriters,
  spoolFolder,
} from "../../../src/decision/spool/writer-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import type { LogLine } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { readSpool } from "../support.ts";
import { checkpoints, dayMs, writeCalls } from "./old-records.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

interface Keeping {
  readonly notes: readonly NotedRecord[];
  readonly lines: readonly LogLine[];
  readonly close: () => Promise<void>;
  /** How often its own segment was ended. */
  readonly ended: () => number;
}

function keep(
  stateDir: string,
  store: DecisionsConfig["store"],
  retention: DecisionsConfig["retention"],
  pruneApart?: PruneApart,
  clock: Clock = systemClock,
): Keeping {
  const notes: NotedRecord[] = [];
  const log = createTestLog();
  const note = async (record: NotedRecord): Promise<void> => void notes.push(record);
  let ended = 0;
  const endSegment = (): void => void (ended += 1);
  const place = { stateDir, store, checkpoints, clock, log, newId, note, endSegment };
  const apart = pruneApart === undefined ? {} : { pruneApart };
  const close = keepRetention({ ...place, ...apart, retention, tenant: "default", firstMs: 1 });
  onTestFinished(close);
  return { notes, lines: log.lines, close, ended: () => ended };
}

function isPruning(record: NotedRecord): record is AdminRecord {
  return record.kind === "admin" && record.action === "prune";
}

const yearsMs = 3 * 365 * dayMs;

/** A clock that somebody can set; nobody sets the monotonic one. */
function settableClock(aheadMs = 0): Clock & { readonly set: (aheadMs: number) => void } {
  let ahead = aheadMs;
  return {
    nowMs: () => systemClock.nowMs() + ahead,
    monotonicMs: systemClock.monotonicMs,
    set: (to) => void (ahead = to),
  };
}

const old = [{ daysAgo: 40 }, { daysAgo: 40 }, { daysAgo: 0 }];
const days = { payloadDays: 10, headerDays: 30 };

describe("a gateway with the embedded store", { timeout: 60_000 }, () => {
  async function written(): Promise<string> {
    const stateDir = temporaryFolder();
    const limits = { spoolMaxBytes: Number.MAX_SAFE_INTEGER, segmentMaxBytes: 1500 };
    await writeCalls(stateDir, old, { limits });
    await age(stateDir);
    return stateDir;
  }

  async function age(stateDir: string): Promise<void> {
    const spool = spoolFolder(stateDir, "embedded");
    for (const writer of await listWriters(spool)) {
      for (const segment of await listSegments(join(spool, writer))) {
        const time = new Date(Date.now() - 50 * dayMs);
        await utimes(join(spool, writer, segmentName(segment)), time, time);
      }
    }
  }

  test("removes segments past the headers' retention, and records that", async () => {
    const stateDir = await written();
    const before = (await readSpool(stateDir)).length;
    const { notes, ended } = keep(stateDir, { kind: "embedded" }, days);
    await eventually(() => notes.some(isPruning));
    expect(ended()).toBe(1);
    expect(notes.find(isPruning)).toMatchObject({ by: "gateway", details: { payloads: 0 } });
    expect((await readSpool(stateDir)).length).toBeLessThan(before);
  });

  test("removes nothing that only the payloads' retention is over for", async () => {
    const stateDir = await written();
    const before = (await readSpool(stateDir)).length;
    const { close } = keep(stateDir, { kind: "embedded" }, { ...days, headerDays: 300 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await close();
    expect((await readSpool(stateDir)).length).toBe(before);
  });

  test("has payloads past their retention pruned apart, once a day for a state folder", async () => {
    const stateDir = await written();
    let times = 0;
    const apart: PruneApart = async () => void (times += 1);
    const kind = { kind: "embedded" } as const;
    const first = keep(stateDir, kind, { ...days, headerDays: 300 }, apart);
    await eventually(() => times > 0);
    await first.close();
    const second = keep(stateDir, kind, days, apart);
    await eventually(() => second.notes.some(isPruning));
    await second.close();
    expect(times).toBe(1);
  });

  test("tries again where that failed, and says so", async () => {
    const stateDir = await written();
    const fails: PruneApart = () => Promise.reject(new Error("somebody has it open"));
    const { lines, close } = keep(stateDir, { kind: "embedded" }, days, fails);
    await eventually(() => lines.some(({ level }) => level === "warn"));
    await close();
    expect(lines.at(-1)?.data).toMatchObject({ reason: "somebody has it open" });
    await writeCalls(stateDir, [{ daysAgo: 40 }]);
    await age(stateDir);
    let times = 0;
    keep(stateDir, { kind: "embedded" }, { ...days, headerDays: 300 }, async () => {
      times += 1;
    });
    await eventually(() => times > 0);
  });

  test("has nothing pruned apart while no segment is as old, or no payload has an end", async () => {
    const stateDir = await written();
    let times = 0;
    const apart: PruneApart = async () => void (times += 1);
    const kind = { kind: "embedded" } as const;
    for (const payloadDays of [60, undefined]) {
      const kept = keep(stateDir, kind, { payloadDays, headerDays: 300 }, apart);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await kept.close();
    }
    expect(times).toBe(0);
  });

  test("ends what it does apart when it ends", async () => {
    const stateDir = await written();
    let signal: AbortSignal | undefined;
    const endless: PruneApart = (ending) => {
      signal = ending;
      return new Promise((_, reject) => {
        ending.addEventListener("abort", () => reject(new Error("aborted")));
      });
    };
    const { close, lines } = keep(stateDir, { kind: "embedded" }, days, endless);
    await eventually(() => signal !== undefined);
    await close();
    expect(lines.filter(({ level }) => level === "warn")).toEqual([]);
  });

  test.each([yearsMs, -yearsMs])(
    "removes nothing once its clock was set by %i ms",
    async (setMs) => {
      const stateDir = await written();
      const before = (await readSpool(stateDir)).length;
      let times = 0;
      const apart: PruneApart = async () => void (times += 1);
      const clock = settableClock();
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      onTestFinished(() => void vi.useRealTimers());
      const { lines, notes, close } = keep(stateDir, { kind: "embedded" }, days, apart, clock);
      clock.set(setMs);
      await eventually(() => lines.length > 0 || notes.length > 0);
      // It looks again each hour, and says so once.
      vi.advanceTimersByTime(5 * 60 * 60_000);
      await new Promise((resolve) => setImmediate(resolve));
      await close();
      expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
        "warn decision record not pruned, since the clock was set by more than a day",
      ]);
      expect([(await readSpool(stateDir)).length, notes, times]).toEqual([before, [], 0]);
    },
  );

  test("prunes where its clock was set by less than a day, or it began long after it ended", async () => {
    const stateDir = await written();
    const clock = settableClock();
    clock.set(yearsMs);
    const { notes } = keep(stateDir, { kind: "embedded" }, days, undefined, clock);
    clock.set(yearsMs + dayMs / 2);
    await eventually(() => notes.some(isPruning));
    expect(notes.filter(isPruning)).toHaveLength(1);
  });

  test("keeps everything where nothing is configured", async () => {
    const stateDir = await written();
    const before = (await readSpool(stateDir)).length;
    const never = { payloadDays: undefined, headerDays: undefined };
    await keep(stateDir, { kind: "embedded" }, never).close();
    expect((await readSpool(stateDir)).length).toBe(before);
  });
});

describe.skipIf(postgres === undefined)("gateways on one postgres", { timeout: 60_000 }, () => {
  test("prune it once a day, one of them", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const store = { kind: "postgres", url } as const;
    const stateDir = temporaryFolder();
    await writeCalls(stateDir, old, { store });
    const database = await openMigrated(url);
    onTestFinished(() => database.close());
    const gateways = [keep(stateDir, store, days), keep(stateDir, store, days)];
    await eventually(() => gateways.some(({ notes }) => notes.some(isPruning)));
    for (const { close } of gateways) await close();
    expect(gateways.flatMap(({ notes }) => notes.filter(isPruning))).toHaveLength(1);
    const runs = await database.query("SELECT pruned_by, headers::int FROM mcp_gateway.prune_run");
    expect(runs).toEqual([{ pruned_by: "gateway", headers: 4 }]);
  });

  test("remove nothing where their clock is not the database's", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const store = { kind: "postgres", url } as const;
    const stateDir = temporaryFolder();
    await writeCalls(stateDir, old, { store });
    const database = await openMigrated(url);
    onTestFinished(() => database.close());
    const told =
      "decision record not pruned, since the clocks here and of the database are more than a day apart";
    for (const aheadMs of [yearsMs, -yearsMs]) {
      const clock = settableClock(aheadMs);
      const { lines, notes, close } = keep(stateDir, store, days, undefined, clock);
      await eventually(() => lines.length > 0 || notes.length > 0);
      await close();
      expect(lines.map(({ message }) => message)).toEqual([told]);
    }
    const turns = await database.query("SELECT 1 AS run FROM mcp_gateway.prune_turn");
    const rows = await database.query("SELECT count(*)::int AS rows FROM mcp_gateway.decision");
    expect([turns, rows]).toEqual([[], [{ rows: 6 }]]);
    const { notes } = keep(stateDir, store, days);
    await eventually(() => notes.some(isPruning));
  });

  test("go on where it is away, and say so", async () => {
    const store = { kind: "postgres", url: "postgres://nobody@127.0.0.1:1/none" } as const;
    const { lines } = keep(temporaryFolder(), store, days);
    const told = "decision record not pruned, tried again in an hour";
    await eventually(() => lines.length > 0);
    expect(lines[0]).toMatchObject({ level: "warn", message: told });
  });
});
