import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import type { ObservedDecisionLog } from "../../../src/decision/decision-log.ts";
import { readCommittedMark } from "../../../src/decision/spool/committed-mark.ts";
import { listSegments, spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions, outcome, readSpool } from "../support.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

function newState(): string {
  const stateDir = join(temporaryFolder(), "state");
  mkdirSync(stateDir, { mode: 0o700 });
  return stateDir;
}

function folderOf(stateDir: string, log: ObservedDecisionLog, store: "embedded" | "postgres") {
  return join(spoolFolder(stateDir, store), log.status().writer);
}

test("a segment that is ended is closed, and the next record begins another", async () => {
  const stateDir = newState();
  const log = await createDecisionLog(logOptions(stateDir));
  const folder = folderOf(stateDir, log, "embedded");
  await log.admit(allowed());
  log.endSegment();
  await eventually(async () => (await readCommittedMark(folder)).segment === 2);
  expect(await listSegments(folder)).toEqual([1]);
  expect(await readCommittedMark(folder)).toEqual({ segment: 2, offset: 0 });
  await log.admit(allowed());
  expect(await listSegments(folder)).toEqual([1, 2]);
  await log.close();
  expect(await readSpool(stateDir)).toHaveLength(2);
});

test("nothing is ended where nothing was written since, and no record is lost between", async () => {
  const stateDir = newState();
  const log = await createDecisionLog(logOptions(stateDir));
  const folder = folderOf(stateDir, log, "embedded");
  log.endSegment();
  const racing = Array.from({ length: 40 }, async () => {
    log.endSegment();
    const record = allowed();
    await log.admit(record);
    log.settle(outcome(record.decisionId));
    log.endSegment();
  });
  await Promise.all(racing);
  await log.close();
  log.endSegment();
  const texts = await readSpool(stateDir);
  const places = texts.map((text) => Object(JSON.parse(text)).seq);
  expect(places).toEqual(Array.from({ length: 80 }, (_, at) => at + 1));
  const segments = await listSegments(folder);
  expect(segments).toEqual(segments.map((_, at) => at + 1));
});

test("a gateway that has nothing to ship is not behind, however often its segment is ended", async () => {
  const store = { kind: "postgres", url: "postgres://nobody@127.0.0.1:1/none" } as const;
  const log = await createDecisionLog({ ...logOptions(newState()), store });
  log.endSegment();
  await delay(100);
  expect(log.status().shippingLagMs).toBe(0);
  await log.admit(allowed());
  await eventually(() => log.status().shippingLagMs > 0);
  await log.close();
});

test.skipIf(postgres === undefined)(
  "a spool before Postgres keeps nothing of a segment that was ended and shipped",
  async () => {
    const stateDir = newState();
    const url = await postgres?.createDatabase();
    const store = { kind: "postgres", url: url ?? "" } as const;
    const log = await createDecisionLog({ ...logOptions(stateDir), store });
    const folder = folderOf(stateDir, log, "postgres");
    await log.admit(allowed());
    await eventually(() => log.status().unshippedRecords === 0);
    expect(await listSegments(folder)).toEqual([1]);
    log.endSegment();
    await eventually(async () => (await listSegments(folder)).length === 0);
    await eventually(() => log.status().shippingLagMs === 0);
    await log.admit(allowed());
    await eventually(() => log.status().unshippedRecords === 0);
    expect(await listSegments(folder)).toEqual([2]);
    expect(log.status().shipper).toMatchObject({ deadLetters: 0 });
    await log.close();
  },
);
