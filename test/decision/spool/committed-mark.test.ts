import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  committedMarkName,
  readCommittedMark,
  spoolStart,
  writeCommittedMark,
} from "../../../src/decision/spool/committed-mark.ts";
import { nodeFileSystem } from "../../../src/decision/spool/file-system.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const position = { segment: 3, offset: 123_456_789 };

/** A folder whose mark says `position`, and the bytes of that. */
async function marked() {
  const folder = temporaryFolder();
  const path = join(folder, committedMarkName);
  const file = await nodeFileSystem.createFile(path);
  writeCommittedMark(file, position);
  await file.close();
  return { folder, path, whole: readFileSync(path) };
}

describe("the mark of a living writer", () => {
  test("says how far its spool counts, and where there is none nothing does", async () => {
    expect(await readCommittedMark((await marked()).folder)).toEqual(position);
    expect(await readCommittedMark(temporaryFolder())).toEqual(spoolStart);
  });

  test("is read again where it is half written, however long the writer is interrupted", async () => {
    const { folder, path, whole } = await marked();
    writeFileSync(path, Buffer.concat([whole.subarray(0, 8), Buffer.alloc(8, 7)]));
    const reading = readCommittedMark(folder);
    await delay(200);
    // In place, as a writer does it: nobody ever finds it empty.
    const file = openSync(path, "r+");
    writeSync(file, whole, 0, whole.length, 0);
    closeSync(file);
    expect(await reading).toEqual(position);
  });

  test("that stays torn, or cannot be read, is an error and never nothing", async () => {
    const { folder, path } = await marked();
    writeFileSync(path, Buffer.alloc(16, 7));
    await expect(readCommittedMark(folder)).rejects.toThrow(/found a torn one/);
    const other = temporaryFolder();
    mkdirSync(join(other, committedMarkName));
    await expect(readCommittedMark(other)).rejects.toThrow(/EISDIR/);
  });
});
