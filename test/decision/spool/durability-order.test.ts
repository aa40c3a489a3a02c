import { expect, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { recoverWriter } from "../../../src/decision/spool/quarantine.ts";
import { listWriters, spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { faultyFiles, forgetfulDisk } from "../faulty-files.ts";
import { spoolLimits, admission, logOptions, outcome, readSpool } from "../support.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { createTestLog } from "../../support/log.ts";
import { eventually } from "../../support/eventually.ts";

test("an admission resolves only after its bytes were written and fdatasync returned", async () => {
  const events: string[] = [];
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const files = faultyFiles({
    write: (_, bytes) => void (Buffer.from(bytes).includes("admission") && events.push("written")),
    sync: () => void events.push("syncing"),
    afterSync: async () => {
      await gate;
      events.push("synced");
    },
  });
  const log = await createDecisionLog({ ...logOptions(temporaryFolder()), files });
  const admitted = log.admit(admission()).then(() => events.push("admitted"));
  await eventually(async () => events.includes("syncing"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(events).toEqual(["written", "syncing"]);
  release();
  await admitted;
  expect(events).toEqual(["written", "syncing", "synced", "admitted"]);
  await log.close();
});

test("records that arrive while a sync runs share the next one", async () => {
  let syncs = 0;
  const files = faultyFiles({ sync: () => void (syncs += 1) });
  const stateDir = temporaryFolder();
  const log = await createDecisionLog({ ...logOptions(stateDir), files });
  await Promise.all(Array.from({ length: 500 }, () => log.admit(admission())));
  expect(syncs).toBeLessThan(10);
  expect(await readSpool(stateDir)).toHaveLength(500);
  await log.close();
});

test("a record that arrives in the turn in which a batch ends is not forgotten", async () => {
  const stateDir = temporaryFolder();
  const log = await createDecisionLog(logOptions(stateDir));
  for (let count = 0; count < 200; count += 1) {
    const record = admission();
    await log.admit(record).then(() => log.settle(outcome(record.decisionId)));
  }
  await eventually(async () => (await readSpool(stateDir)).length >= 400);
  expect(await readSpool(stateDir)).toHaveLength(400);
  await log.close();
});

test("power failing at any moment loses no admitted record and invents none", async () => {
  const stateDir = temporaryFolder();
  const spool = spoolFolder(stateDir, "embedded");
  const disk = forgetfulDisk(spool);
  const options = { ...logOptions(stateDir), files: disk.files };
  const log = await createDecisionLog({
    ...options,
    limits: { ...spoolLimits, segmentMaxBytes: 20_000 },
  });
  const submitted = new Set<string>();
  const admitted = new Set<string>();
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 60; round += 1) {
    const records = Array.from({ length: 1 + Math.floor(random() * 4) }, () => admission());
    for (const { decisionId } of records) submitted.add(decisionId);
    const waiting = records.map(async (record) => {
      await log.admit(record);
      admitted.add(record.decisionId);
    });
    if (round % 2 === 0) await Promise.all(waiting);
    const promised = new Set(admitted);
    const found = await afterPowerFailure(disk, random);
    for (const id of promised) expect(found).toContain(id);
    for (const id of found) expect(submitted).toContain(id);
    await Promise.all(waiting);
  }
  await log.close();
});

async function afterPowerFailure(
  disk: ReturnType<typeof forgetfulDisk>,
  random: () => number,
): Promise<ReadonlySet<string>> {
  const stateDir = temporaryFolder();
  const spool = spoolFolder(stateDir, "embedded");
  await disk.fail(spool, random);
  for (const writer of await listWriters(spool))
    await recoverWriter(spool, writer, createTestLog());
  const records = await readSpool(stateDir);
  return new Set(records.map((text) => /"decision_id":"([^"]+)"/.exec(text)?.[1] ?? ""));
}
