/**
 * Segments go from the oldest on, and none is passed over: what is held is known from its admission,
 * and an outcome may lie in a segment behind it.
 */
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { pruneSpool } from "../../../src/decision/retention/prune-spool.ts";
import { beforeDays } from "../../../src/decision/retention/prune-store.ts";
import { segmentName } from "../../../src/decision/spool/segment.ts";
import {
  listSegments,
  listWriters,
  spoolFolder,
} from "../../../src/decision/spool/writer-folder.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { spoolLimits } from "../support.ts";
import { dayMs, holdOn, witnessOf, writeCalls } from "./old-records.ts";

test("a segment that was touched keeps those behind it, and the held outcome in one of them", async () => {
  const stateDir = temporaryFolder();
  const calls = [{ daysAgo: 40, agent: "mallory" }, { daysAgo: 40 }, { daysAgo: 40 }];
  await writeCalls(stateDir, calls, { limits: { ...spoolLimits, segmentMaxBytes: 500 } });
  const spool = spoolFolder(stateDir, "embedded");
  const [writer = ""] = await listWriters(spool);
  const before = await listSegments(join(spool, writer));
  expect(before.length).toBeGreaterThan(2);
  const old = new Date(Date.now() - 50 * dayMs);
  for (const segment of before.slice(1)) {
    await utimes(join(spool, writer, segmentName(segment)), old, old);
  }
  await pruneSpool({
    spool,
    cutoffs: { payloadBeforeMs: undefined, headerBeforeMs: beforeDays(30, Date.now()) },
    holds: [holdOn({ agent: "mallory" })],
    indexed: undefined,
    prove: (await witnessOf(stateDir)).prove,
    stated: new Map(),
    isDryRun: false,
    clock: systemClock,
    log: createTestLog(),
  });
  expect(await listSegments(join(spool, writer))).toEqual(before);
});
