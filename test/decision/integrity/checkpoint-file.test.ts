import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { appendFile, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keyIdOf, signCheckpoint } from "../../../src/decision/integrity/checkpoint.ts";
import { CheckpointFile, lastPlaces } from "../../../src/decision/integrity/checkpoint-file.ts";
import { proveIn, readPruned } from "../../../src/decision/integrity/pruned-range.ts";
import { readCheckpoints } from "../../../src/decision/integrity/read-checkpoints.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const others = Object.fromEntries(
  Array.from({ length: 100 }, (_, n) => [`writer-${n}`.padEnd(64, "0"), Number.MAX_SAFE_INTEGER]),
);

const hex64 = "0".repeat(64);

function lineOf(
  writer: string,
  seq: number,
  key: KeyObject,
  previous: string | null = hex64,
): string {
  const place = { version: 1, writer, seq, link: hex64, previous } as const;
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

/** One byte more than a text can have characters; what is not written takes no room. */
const tooLong = 512 * 1024 * 1024 + 1;
const range = { first: 1, last: 2, previous: "0".repeat(64), link: "1".repeat(64) };

test("files that are longer than a text can be are read to their end", async () => {
  const folder = temporaryFolder();
  const nowMs = (): number => 0;
  const prove = proveIn(folder, privateKey, nowMs);
  await writeFile(join(folder, "one.checkpoints"), `${lineOf("one", 1, privateKey, null)}\n`);
  await prove(new Map([["one", [range]]]));
  for (const name of ["one.checkpoints", "one.pruned"]) {
    await truncate(join(folder, name), tooLong);
    await appendFile(join(folder, name), "\n");
  }
  await prove(new Map([["one", [range]]]));
  const { statements, problems } = await readCheckpoints(folder, publicKey);
  expect(statements.get("one")).toMatchObject([{ seq: 1 }]);
  expect(problems.map(({ message }) => message)).toContain(
    "line 2 of its checkpoints is no checkpoint",
  );
  expect((await readPruned(folder, publicKey)).ranges.get("one")).toEqual([range, range]);
}, 60_000);

test("a line is whole wherever the pieces end in which it is read", async () => {
  const folder = temporaryFolder();
  const lines = Array.from({ length: 300 }, (_, n) => lineOf("one", n + 1, privateKey));
  const text = `${"x".repeat(256 * 1024 - 1)}\n${lines.join("\n")}\n`;
  await writeFile(join(folder, "one.checkpoints"), text);
  const { problems } = await readCheckpoints(folder, publicKey);
  expect(problems.filter(({ message }) => message.endsWith("is no checkpoint"))).toHaveLength(1);
  expect(problems.filter(({ message }) => message.endsWith("by the key"))).toEqual([]);
  expect(text.length).toBeGreaterThan(4 * 256 * 1024);
});

test("nothing is appended behind a link", async () => {
  const folder = temporaryFolder();
  const elsewhere = join(temporaryFolder(), "elsewhere");
  await writeFile(elsewhere, "");
  for (const name of ["one.checkpoints", "one.pruned"])
    await symlink(elsewhere, join(folder, name));
  const file = new CheckpointFile(folder, "one");
  await expect(file.append("line")).rejects.toMatchObject({ code: "ELOOP" });
  const proving = proveIn(folder, privateKey, () => 0)(new Map([["one", [range]]]));
  await expect(proving).rejects.toMatchObject({ code: "ELOOP" });
  expect(await readFile(elsewhere, "utf8")).toBe("");
});
