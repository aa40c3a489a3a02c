/**
 * What a gateway that runs for long writes beside its record: short lines, from which everything is
 * found that long ones told.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  keyIdOf,
  readCheckpoint,
  signCheckpoint,
} from "../../../src/decision/integrity/checkpoint.ts";
import { CheckpointKeeper } from "../../../src/decision/integrity/checkpoint-keeper.ts";
import { readCheckpoints } from "../../../src/decision/integrity/read-checkpoints.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const hourMs = 60 * 60_000;

/** Another writer states its place, in a file of its own. */
async function state(folder: string, writer: string, seq: number): Promise<void> {
  const about = { version: 1, writer, seq, link: "0".repeat(64), previous: null } as const;
  const time = "2026-11-23T03:00:00.000Z";
  const statement = { ...about, time, final: false, others: {}, key: keyIdOf(privateKey) };
  const line = signCheckpoint(statement, privateKey);
  await writeFile(join(folder, `${writer}.checkpoints`), `${line}\n`);
}

interface Kept {
  readonly folder: string;
  /** One more checkpoint, and whom it names. */
  readonly next: (laterMs?: number) => Promise<Readonly<Record<string, number>>>;
  readonly gone: () => Promise<readonly string[]>;
}

function keep(): Kept {
  const folder = temporaryFolder();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  let [timeMs, seq] = [0, 0];
  const keeper = new CheckpointKeeper({
    folder,
    writer: "zz",
    key: async () => privateKey,
    everyMs: 1000,
    committed: () => ({ head: { seq, link: "1".repeat(64) }, position: undefined }),
    isStored: () => true,
    clock: { nowMs: () => timeMs, monotonicMs: () => timeMs },
    log: createTestLog(),
  });
  onTestFinished(() => keeper.close());
  const lines = async (): Promise<readonly string[]> => {
    const text = await readFile(join(folder, "zz.checkpoints"), "utf8").catch(() => "");
    return text.split("\n").slice(0, -1);
  };
  return {
    folder,
    next: async (laterMs = 60_000) => {
      const before = (await lines()).length;
      seq += 1;
      timeMs += laterMs;
      vi.advanceTimersByTime(1000);
      await eventually(async () => (await lines()).length > before);
      return readCheckpoint((await lines()).at(-1) ?? "")?.statement.others ?? { nobody: 0 };
    },
    gone: async () => {
      const { problems } = await readCheckpoints(folder, createPublicKey(privateKey));
      return problems.map(({ writer, message }) => `${writer}: ${message}`);
    },
  };
}

test("a checkpoint names others once, whoever has moved, and all of them each hour", async () => {
  const { folder, next } = keep();
  const all = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`a${n}`, 7]));
  for (const writer of Object.keys(all)) await state(folder, writer, 7);
  expect(await next()).toEqual(all);
  expect(await next()).toEqual({});
  await state(folder, "a3", 9);
  await state(folder, "b", 1);
  expect(await next()).toEqual({ a3: 9, b: 1 });
  expect(await next()).toEqual({});
  expect(await next(hourMs)).toEqual({ ...all, a3: 9, b: 1 });
  expect(await next()).toEqual({});
});

test("a file that is gone, or older, is missed whichever line has named it", async () => {
  const { folder, next, gone } = keep();
  await state(folder, "a", 7);
  await next();
  await state(folder, "b", 3);
  await next();
  await state(folder, "b", 4);
  await next();
  await next();
  expect(await gone()).toEqual([]);
  await state(folder, "b", 3);
  expect(await gone()).toEqual(["b: its checkpoints end at 3; another writer has seen one at 4"]);
  await rm(join(folder, "a.checkpoints"));
  expect(await gone()).toContain("a: its checkpoints end at 0; another writer has seen one at 7");
});
