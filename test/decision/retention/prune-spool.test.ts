import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { readCheckpoints } from "../../../src/decision/integrity/read-checkpoints.ts";
import type { Hold } from "../../../src/decision/retention/hold.ts";
import type { PrunedSpool, SpoolPruning } from "../../../src/decision/retention/prune-spool.ts";
import { pruneSpool } from "../../../src/decision/retention/prune-spool.ts";
import { beforeDays } from "../../../src/decision/retention/prune-store.ts";
import { segmentName } from "../../../src/decision/spool/segment.ts";
import {
  listSegments,
  listWriters,
  spoolFolder,
} from "../../../src/decision/spool/writer-folder.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { spoolChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions, outcome, readSpool, spoolLimits } from "../support.ts";
import { checkpoints, dayMs, holdOn, idAt, witnessOf, writeCalls } from "./old-records.ts";

/** A call fills a segment. */
const limits = { ...spoolLimits, segmentMaxBytes: 1500 };

async function prune(stateDir: string, changes: Partial<SpoolPruning> = {}): Promise<PrunedSpool> {
  const { folder, key, prove } = await witnessOf(stateDir);
  return await pruneSpool({
    spool: spoolFolder(stateDir, "embedded"),
    cutoffs: { payloadBeforeMs: undefined, headerBeforeMs: beforeDays(30, Date.now()) },
    holds: [],
    indexed: undefined,
    prove,
    stated: (await readCheckpoints(folder, key)).statements,
    isDryRun: false,
    clock: systemClock,
    log: createTestLog(),
    ...changes,
  });
}

/** A file is as old as what was written last. */
async function age(stateDir: string): Promise<void> {
  const spool = spoolFolder(stateDir, "embedded");
  for (const writer of await listWriters(spool)) {
    for (const segment of await listSegments(join(spool, writer))) {
      const old = new Date(Date.now() - 50 * dayMs);
      await utimes(join(spool, writer, segmentName(segment)), old, old);
    }
  }
}

async function segmentsOf(stateDir: string): Promise<number> {
  const spool = spoolFolder(stateDir, "embedded");
  const [writer] = await listWriters(spool);
  return writer === undefined ? 0 : (await listSegments(join(spool, writer))).length;
}

async function verify(stateDir: string): ReturnType<typeof verifyRecord> {
  const { folder, key } = await witnessOf(stateDir);
  const chains = spoolChains(spoolFolder(stateDir, "embedded"), systemClock);
  return await verifyRecord(chains, folder, key);
}

const ages = [40, 40, 40, 10, 10, 0].map((daysAgo) => ({ daysAgo }));

describe("pruning an embedded spool", () => {
  test("removes segments past the headers' retention, and the chain is whole", async () => {
    const stateDir = temporaryFolder();
    await writeCalls(stateDir, ages, { limits });
    await age(stateDir);
    const before = await segmentsOf(stateDir);
    const pruned = await prune(stateDir);
    expect(pruned.segments).toBeGreaterThan(1);
    expect(await segmentsOf(stateDir)).toBe(before - pruned.segments);
    const verification = await verify(stateDir);
    expect(verification).toMatchObject({ pruned: pruned.records, problems: [] });
    expect(verification.records).toBe(13 - pruned.records);
  });

  test("leaves what was written since, without reading it", async () => {
    const stateDir = temporaryFolder();
    await writeCalls(stateDir, ages, { limits });
    expect(await prune(stateDir)).toMatchObject({ segments: 0 });
  });

  test("removes what only the payloads' retention is over for where the index has it", async () => {
    const stateDir = temporaryFolder();
    await writeCalls(stateDir, ages, { limits });
    await age(stateDir);
    const cutoffs = { payloadBeforeMs: beforeDays(30, Date.now()), headerBeforeMs: undefined };
    expect(await prune(stateDir, { cutoffs })).toMatchObject({ segments: 0 });
    expect(await prune(stateDir, { cutoffs, indexed: new Map() })).toMatchObject({ segments: 0 });
    const [writer = ""] = await listWriters(spoolFolder(stateDir, "embedded"));
    const first = new Map([[writer, { segment: 2, offset: 0 }]]);
    expect(await prune(stateDir, { cutoffs, indexed: first })).toMatchObject({ segments: 1 });
    const all = new Map([[writer, { segment: 99, offset: 0 }]]);
    const { segments } = await prune(stateDir, { cutoffs, indexed: all });
    expect(segments).toBeGreaterThan(0);
    expect((await verify(stateDir)).problems).toEqual([]);
  });

  test("never touches the segment that a living gateway writes to", async () => {
    const stateDir = temporaryFolder();
    const options = { ...logOptions(stateDir), checkpoints, limits };
    const log = await createDecisionLog(options);
    for (const daysAgo of [40, 40, 40]) {
      const timeMs = Date.now() - daysAgo * dayMs;
      await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    }
    await age(stateDir);
    const before = await segmentsOf(stateDir);
    expect(await prune(stateDir)).toMatchObject({ segments: before - 1 });
    await log.admit(allowed());
    await log.close();
    expect(await verify(stateDir)).toMatchObject({ pruned: before - 1, problems: [] });
  });

  test("removes what a living gateway wrote once its segment is ended", async () => {
    const stateDir = temporaryFolder();
    const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
    const timeMs = Date.now() - 40 * dayMs;
    await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    await age(stateDir);
    expect(await prune(stateDir)).toMatchObject({ segments: 0 });
    log.endSegment();
    await log.admit(allowed());
    await age(stateDir);
    expect(await prune(stateDir)).toMatchObject({ segments: 1, records: 1 });
    await log.close();
    expect(await verify(stateDir)).toMatchObject({ pruned: 1, records: 1, problems: [] });
  });

  test("keeps a segment with a held decision, and the one with its outcome", async () => {
    const stateDir = temporaryFolder();
    const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints, limits });
    const timeMs = Date.now() - 40 * dayMs;
    const held = idAt(timeMs);
    await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    await log.admit(allowed({ decisionId: held, timeMs, agent: "mallory" }));
    await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    log.settle(outcome(held, { timeMs }));
    await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    await log.close();
    await age(stateDir);
    const holds: readonly Hold[] = [holdOn({ agent: "mallory" })];
    expect(await prune(stateDir, { holds })).toMatchObject({ segments: 3, held: 2 });
    expect(await verify(stateDir)).toMatchObject({ pruned: 3, problems: [] });
  });

  test.each([600, 512])(
    "keeps what an agent of a long name did, held by %i of it",
    async (length) => {
      const stateDir = temporaryFolder();
      const agent = "m".repeat(600);
      await writeCalls(stateDir, [{ daysAgo: 40, agent }, { daysAgo: 40 }, { daysAgo: 40 }], {
        limits,
      });
      await age(stateDir);
      const holds = [holdOn({ agent: agent.slice(0, length), until: new Date().toISOString() })];
      const { held } = await prune(stateDir, { holds });
      expect(held).toBeGreaterThan(0);
      expect((await readSpool(stateDir)).join("")).toContain(agent);
    },
  );

  test("removes the folder of a writer of which nothing is left", async () => {
    const stateDir = temporaryFolder();
    const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints, limits });
    const timeMs = Date.now() - 40 * dayMs;
    await log.admit(allowed({ decisionId: idAt(timeMs), timeMs }));
    await log.close();
    await age(stateDir);
    expect(await prune(stateDir, { isDryRun: true })).toMatchObject({ segments: 1 });
    expect(await segmentsOf(stateDir)).toBe(1);
    await prune(stateDir);
    expect(await listWriters(spoolFolder(stateDir, "embedded"))).toEqual([]);
    expect(await verify(stateDir)).toMatchObject({ records: 0, pruned: 1, problems: [] });
  });

  test("leaves everything where the statement cannot be written", async () => {
    const stateDir = temporaryFolder();
    await writeCalls(stateDir, ages, { limits });
    await age(stateDir);
    const before = await segmentsOf(stateDir);
    const prove = (): Promise<void> => Promise.reject(new Error("no room"));
    await expect(prune(stateDir, { prove })).rejects.toThrow("no room");
    expect(await segmentsOf(stateDir)).toBe(before);
  });
});
