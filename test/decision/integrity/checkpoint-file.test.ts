import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keyIdOf, signCheckpoint } from "../../../src/decision/integrity/checkpoint.ts";
import { lastPlaces } from "../../../src/decision/integrity/checkpoint-file.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const others = Object.fromEntries(
  Array.from({ length: 100 }, (_, n) => [`writer-${n}`.padEnd(64, "0"), Number.MAX_SAFE_INTEGER]),
);

function lineOf(writer: string, seq: number, key: KeyObject): string {
  const hex64 = "0".repeat(64);
  const place = { version: 1, writer, seq, link: hex64, previous: hex64 } as const;
  const about = { time: "2026-11-23T03:00:00.000Z", final: false, others, key: keyIdOf(key) };
  return signCheckpoint({ ...place, ...about }, key);
}

/** As long as a line can be. */
function lineAt(seq: number): string {
  return lineOf("one", seq, privateKey);
}

test("the last place is that of the last whole line, however long file and lines are", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "one.checkpoints");
  await writeFile(join(folder, "two.checkpoints"), "");
  const lines = Array.from({ length: 20 }, (_, n) => `${lineAt(n + 1)}\n`);
  await writeFile(path, lines.join(""));
  expect(await lastPlaces(folder, 100, publicKey)).toEqual({ one: 20 });
  await appendFile(path, lineAt(21).slice(0, -1));
  expect(await lastPlaces(folder, 100, publicKey)).toEqual({ one: 20 });
});

test("what another key has signed is nobody's place, and takes nobody's", async () => {
  const folder = temporaryFolder();
  await writeFile(join(folder, "one.checkpoints"), `${lineAt(7)}\n`);
  const { privateKey: stranger } = generateKeyPairSync("ed25519");
  for (const writer of ["two", "zero"]) {
    await writeFile(join(folder, `${writer}.checkpoints`), `${lineOf(writer, 9, stranger)}\n`);
  }
  expect(await lastPlaces(folder, 1, publicKey)).toEqual({ one: 7 });
});
