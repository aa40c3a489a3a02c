import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import type { Faults } from "../faulty-files.ts";
import { faultyFiles, systemError } from "../faulty-files.ts";
import { spoolLimits, admission, logOptions, outcome, readSpool } from "../support.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { createTestLog } from "../../support/log.ts";
import { eventually } from "../../support/eventually.ts";

const unavailable = { name: "DecisionError", code: "audit_unavailable" };

/** Fails the next `count` times. */
function failing(count: number, code: string): () => void {
  let left = count;
  return () => {
    left -= 1;
    if (left >= 0) throw systemError(code);
  };
}

async function openWith(faults: Faults) {
  const stateDir = temporaryFolder();
  const log = createTestLog();
  const options = { ...logOptions(stateDir), log, files: faultyFiles(faults) };
  return { stateDir, log, options, decisions: await createDecisionLog(options) };
}

const idsIn = (records: readonly string[]): readonly string[] =>
  records.map((text) => /"decision_id":"([^"]+)"/.exec(text)?.[1] ?? "");

describe("a sync that fails once", () => {
  test("seals its segment and the record is written to a new one", async () => {
    const faults: Faults = {};
    const { stateDir, decisions } = await openWith(faults);
    const [first, second] = [admission(), admission()];
    await decisions.admit(first);
    faults.sync = failing(1, "EIO");
    await decisions.admit(second);
    await decisions.close();
    expect(idsIn(await readSpool(stateDir))).toEqual([first.decisionId, second.decisionId]);
    const [writer = ""] = await readdir(spoolFolder(stateDir, "embedded"));
    const names = await readdir(join(spoolFolder(stateDir, "embedded"), writer));
    expect(names).toEqual(expect.arrayContaining(["00000001.seg", "00000002.seg"]));
  });

  test("is never repeated on the same file", async () => {
    const synced: string[] = [];
    const faults: Faults = {};
    const { decisions } = await openWith(faults);
    await decisions.admit(admission());
    const fail = failing(1, "EIO");
    faults.sync = (path) => {
      synced.push(path.slice(-12));
      fail();
    };
    await decisions.admit(admission());
    await decisions.admit(admission());
    expect(synced).toEqual(["00000001.seg", "00000002.seg", "00000002.seg"]);
    await decisions.close();
  });
});

describe.each(["EIO", "ENOSPC"])("%s on two segments in a row", (code) => {
  test.each(["write", "sync", "createFile"] as const)(
    "of %s refuses the call, and the next one goes on when the disk is well",
    async (operation) => {
      const faults: Faults = {};
      const { stateDir, decisions } = await openWith(faults);
      const [before, refused, after] = [admission(), admission(), admission()];
      await decisions.admit(before);
      // A segment is only created after the open one has failed.
      if (operation === "createFile") faults.sync = failing(1, code);
      faults[operation] = failing(2, code);
      await expect(decisions.admit(refused)).rejects.toMatchObject(unavailable);
      expect(decisions.status().failure).toBe("audit_unavailable");
      delete faults.sync;
      delete faults[operation];
      await decisions.admit(after);
      expect(decisions.status().failure).toBeUndefined();
      await decisions.close();
      expect(idsIn(await readSpool(stateDir))).toEqual([before.decisionId, after.decisionId]);
    },
  );
});

test("the bytes of a refused record are cut off and cannot come back", async () => {
  const faults: Faults = {};
  const { stateDir, decisions } = await openWith(faults);
  await decisions.admit(admission());
  faults.sync = failing(2, "EIO");
  const refused = admission();
  await expect(decisions.admit(refused)).rejects.toMatchObject(unavailable);
  // Before anything is closed: as a process killed now would leave it.
  expect(idsIn(await readSpool(stateDir))).not.toContain(refused.decisionId);
  await decisions.close();
});

test("a refused record leaves no gap in the sequence", async () => {
  const faults: Faults = {};
  const { stateDir, decisions } = await openWith(faults);
  await decisions.admit(admission());
  faults.sync = failing(2, "EIO");
  await expect(decisions.admit(admission())).rejects.toMatchObject(unavailable);
  await decisions.admit(admission());
  await decisions.close();
  const numbers = (await readSpool(stateDir)).map((text) => /"seq":(\d+)/.exec(text)?.[1]);
  expect(numbers).toEqual(["1", "2"]);
});

test("everybody in a failed batch is refused", async () => {
  const faults: Faults = {};
  const { decisions } = await openWith(faults);
  await decisions.admit(admission());
  faults.sync = failing(2, "EIO");
  const results = await Promise.allSettled([1, 2, 3].map(() => decisions.admit(admission())));
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  await decisions.close();
});

test("an outcome waits for the disk to be well again", async () => {
  const faults: Faults = {};
  const { stateDir, decisions } = await openWith(faults);
  const record = admission();
  await decisions.admit(record);
  faults.sync = failing(2, "EIO");
  decisions.settle(outcome(record.decisionId));
  await eventually(async () => decisions.status().failure === "audit_unavailable");
  expect(decisions.status().lostRecords).toBe(0);
  await decisions.close();
  expect((await readSpool(stateDir))[1]).toContain('"outcome":"completed"');
});

test("an outcome that cannot be written before the end is counted and logged as lost", async () => {
  const faults: Faults = {};
  const { decisions, log } = await openWith(faults);
  const record = admission();
  await decisions.admit(record);
  faults.sync = failing(100, "EIO");
  decisions.settle(outcome(record.decisionId));
  await decisions.close();
  expect(decisions.status().lostRecords).toBe(1);
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: "error", message: "outcome records lost" }),
  );
});

test("a disk with too little room left refuses calls before it is full", async () => {
  const faults: Faults = { freeBytes: () => 1024 };
  const { decisions } = await openWith(faults);
  const refusal = decisions.admit(admission());
  await expect(refusal).rejects.toMatchObject(unavailable);
  await expect(refusal).rejects.toThrow(/free disk .* found 1024: free some space/);
  faults.freeBytes = () => 1e12;
  await decisions.admit(admission());
  await decisions.close();
});

test.each(["sync", "async"] as const)(
  "a record that is too large is refused and nothing else is, %s",
  async (durability) => {
    const limits = { ...spoolLimits, recordMaxBytes: 10_000 };
    const options = { ...logOptions(temporaryFolder()), limits, durability };
    const decisions = await createDecisionLog(options);
    const inputJson = JSON.stringify("é".repeat(6_000));
    const large = decisions.admit(admission({ inputJson }));
    await expect(large).rejects.toMatchObject({ code: "record_too_large" });
    await decisions.admit(admission());
    await decisions.close();
    expect(decisions.status()).toMatchObject({ committedRecords: 1, lostRecords: 0 });
  },
);

test("a record larger than a segment gets a segment of its own", async () => {
  const stateDir = temporaryFolder();
  const limits = { ...spoolLimits, segmentMaxBytes: 4096 };
  const decisions = await createDecisionLog({ ...logOptions(stateDir), limits });
  const inputJson = JSON.stringify("x".repeat(3_000_000));
  const records = [admission(), admission({ inputJson }), admission()];
  for (const record of records) await decisions.admit(record);
  await decisions.close();
  expect(idsIn(await readSpool(stateDir))).toEqual(records.map(({ decisionId }) => decisionId));
});

test("a spool that cannot be created stops the start with what to do", async () => {
  const files = faultyFiles({
    syncFolder: () => {
      throw systemError("EROFS");
    },
  });
  const opening = createDecisionLog({ ...logOptions(temporaryFolder()), files });
  await expect(opening).rejects.toMatchObject({ code: "spool_unusable" });
  await expect(opening).rejects.toThrow(/EROFS: injected; make the state folder writable/);
});

describe("when a record cannot be written", () => {
  test("`shutdown` refuses the call and asks for the end once", async () => {
    const reasons: string[] = [];
    const options = {
      ...logOptions(temporaryFolder()),
      files: faultyFiles({ sync: failing(100, "EIO") }),
      onFailure: "shutdown" as const,
      onShutdown: ({ code }: { readonly code: string }) => void reasons.push(code),
    };
    const decisions = await createDecisionLog(options);
    await expect(decisions.admit(admission())).rejects.toMatchObject(unavailable);
    await expect(decisions.admit(admission())).rejects.toMatchObject(unavailable);
    expect(reasons).toEqual(["audit_unavailable"]);
    await decisions.close();
  });

  test("`continue` lets the call go and logs an error for each", async () => {
    const log = createTestLog();
    const files = faultyFiles({ sync: failing(100, "EIO") });
    const base = logOptions(temporaryFolder());
    const decisions = await createDecisionLog({ ...base, files, log, onFailure: "continue" });
    await decisions.admit(admission());
    await decisions.admit(admission());
    const errors = log.lines.filter(({ message }) => message === "decision could not be recorded");
    expect(errors).toHaveLength(2);
    await decisions.close();
  });
});

describe("async durability", () => {
  test("answers before the sync and has the record on the disk soon after", async () => {
    const stateDir = temporaryFolder();
    const decisions = await createDecisionLog({ ...logOptions(stateDir), durability: "async" });
    await decisions.admit(admission());
    expect(decisions.status().committedRecords).toBe(0);
    await eventually(async () => decisions.status().committedRecords === 1);
    await decisions.close();
  });

  test("waits all the same for a decision that must be audited", async () => {
    const stateDir = temporaryFolder();
    const decisions = await createDecisionLog({ ...logOptions(stateDir), durability: "async" });
    const record = admission();
    const metadata = { ...record.answer.metadata, audit_required: true };
    await decisions.admit({ ...record, answer: { ...record.answer, metadata } });
    expect(decisions.status().committedRecords).toBe(1);
    await decisions.close();
  });

  test("fails closed from the first commit that failed until one succeeds", async () => {
    const faults: Faults = { sync: failing(4, "EIO") };
    const stateDir = temporaryFolder();
    const files = faultyFiles(faults);
    const base = logOptions(stateDir);
    const decisions = await createDecisionLog({ ...base, files, durability: "async" });
    await decisions.admit(admission());
    await eventually(async () => decisions.status().failure !== undefined);
    await expect(decisions.admit(admission())).rejects.toMatchObject(unavailable);
    await decisions.admit(admission());
    await decisions.close();
    expect(await readSpool(stateDir)).toHaveLength(2);
  });
});
