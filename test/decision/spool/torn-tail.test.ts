import { copyFile, mkdir, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newId } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { recoverWriter } from "../../../src/decision/spool/quarantine.ts";
import { readSegment } from "../../../src/decision/spool/read-segment.ts";
import { listWriters, spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { admission, logOptions, outcome, readSpool } from "../support.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { createTestLog } from "../../support/log.ts";

interface Spool {
  readonly stateDir: string;
  readonly segment: string;
  readonly writer: string;
  readonly records: readonly string[];
  /** Where the last three records begin, and where the last one ends. */
  readonly offsets: readonly number[];
  readonly original: string;
}

/** A dead writer's spool of five records, the last three short, and a copy of its segment. */
async function writeSpool(): Promise<Spool> {
  const stateDir = temporaryFolder();
  const log = await createDecisionLog(logOptions(stateDir));
  for (let count = 0; count < 2; count += 1) await log.admit(admission());
  for (let count = 0; count < 3; count += 1) log.settle(outcome(newId()));
  await log.close();
  const [writer = ""] = await listWriters(spoolFolder(stateDir, "embedded"));
  const segment = join(spoolFolder(stateDir, "embedded"), writer, "00000001.seg");
  const { frames, next } = await readSegment(segment, 0);
  const original = join(stateDir, "original");
  await copyFile(segment, original);
  const records = await readSpool(stateDir);
  const offsets = [...frames.slice(2).map(({ offset }) => offset), next];
  return { stateDir, segment, writer, records, offsets, original };
}

test("a torn tail is kept in quarantine before it is cut off", async () => {
  const { stateDir, segment, writer, offsets, original } = await writeSpool();
  const end = offsets.at(-1) ?? 0;
  const last = offsets.at(-2) ?? 0;
  await truncate(segment, end - 1);
  await recoverWriter(spoolFolder(stateDir, "embedded"), writer, createTestLog());
  const kept = join(
    spoolFolder(stateDir, "embedded"),
    ".quarantine",
    `${writer}-1-${last}.damaged`,
  );
  expect(await readFile(kept)).toEqual((await readFile(original)).subarray(last, end - 1));
});

test("recovery done again, or begun again after it was killed, changes nothing", async () => {
  const { stateDir, segment, writer, records, original, offsets } = await writeSpool();
  const spool = spoolFolder(stateDir, "embedded");
  await truncate(segment, (offsets.at(-1) ?? 0) - 3);
  await recoverWriter(spool, writer, createTestLog());
  const once = await readFile(segment);
  await recoverWriter(spool, writer, createTestLog());
  expect(await readFile(segment)).toEqual(once);
  // Killed between the copy and the cut: the copy is there, the tail as well.
  await copyFile(original, segment);
  await truncate(segment, (offsets.at(-1) ?? 0) - 3);
  await recoverWriter(spool, writer, createTestLog());
  expect(await readFile(segment)).toEqual(once);
  expect(await readdir(join(spool, ".quarantine"))).toHaveLength(1);
  expect(await readSpool(stateDir)).toEqual(records.slice(0, 4));
});

test("a segment whose header is damaged still gives its records", async () => {
  const { stateDir, segment, writer, records, original } = await writeSpool();
  const bytes = await readFile(original);
  bytes[3] = 0;
  await writeFile(segment, bytes);
  await recoverWriter(spoolFolder(stateDir, "embedded"), writer, createTestLog());
  expect(await readSpool(stateDir)).toEqual(records);
});

test("a spool whose folder holds nothing, or an empty segment, recovers to nothing", async () => {
  const stateDir = temporaryFolder();
  const folder = join(spoolFolder(stateDir, "embedded"), "writer");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "00000001.seg"), "");
  await recoverWriter(spoolFolder(stateDir, "embedded"), "writer", createTestLog());
  expect(await readSpool(stateDir)).toEqual([]);
  await rm(folder, { recursive: true });
  await recoverWriter(spoolFolder(stateDir, "embedded"), "writer", createTestLog());
});
