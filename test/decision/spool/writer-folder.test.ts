import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import {
  isWriterAlive,
  listWriters,
  spoolFolder,
} from "../../../src/decision/spool/writer-folder.ts";
import { admission, logOptions } from "../support.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test.skipIf(process.platform === "win32")("nobody else may read or write a spool", async () => {
  const stateDir = temporaryFolder();
  const decisions = await createDecisionLog(logOptions(stateDir));
  await decisions.admit(admission());
  const spool = spoolFolder(stateDir, "embedded");
  const folder = join(spool, decisions.status().writer);
  for (const path of [spool, folder]) expect((await stat(path)).mode & 0o777).toBe(0o700);
  const names = await readdir(folder);
  expect(names).toEqual(expect.arrayContaining(["00000001.seg", "committed", "writer.holder"]));
  for (const name of names) {
    expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  }
  await decisions.close();
});

test("a writer is alive until it is closed", async () => {
  const stateDir = temporaryFolder();
  const decisions = await createDecisionLog(logOptions(stateDir));
  await decisions.admit(admission());
  const folder = join(spoolFolder(stateDir, "embedded"), decisions.status().writer);
  expect(await isWriterAlive(folder, systemClock)).toBe(true);
  await decisions.close();
  expect(await isWriterAlive(folder, systemClock)).toBe(false);
});

test("several writers at once share nothing", async () => {
  const stateDir = temporaryFolder();
  const open = [1, 2, 3].map(() => createDecisionLog(logOptions(stateDir)));
  const logs = await Promise.all(open);
  await Promise.all(logs.map((decisions) => decisions.admit(admission())));
  const writers = await listWriters(spoolFolder(stateDir, "embedded"));
  expect(writers).toEqual(logs.map((decisions) => decisions.status().writer).toSorted());
  for (const decisions of logs) await decisions.close();
});

test("a process that decided nothing leaves nothing behind", async () => {
  const stateDir = temporaryFolder();
  const decisions = await createDecisionLog(logOptions(stateDir));
  await decisions.close();
  expect(await readdir(spoolFolder(stateDir, "embedded"))).toEqual([]);
});
