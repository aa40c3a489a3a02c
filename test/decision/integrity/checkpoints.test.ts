import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Tampering } from "../../../src/decision/integrity/chain-check.ts";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import { verifyRecord } from "../../../src/decision/verify-record.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { checkpoints, writeRecord } from "./thirteen-records.ts";

describe("checkpoints", () => {
  let stateDir = "";
  let folder = "";
  let key: KeyObject;

  beforeEach(async () => {
    stateDir = temporaryFolder();
    folder = join(stateDir, "checkpoints");
    // The second gateway has seen the checkpoint of the first.
    await writeRecord(stateDir);
    await writeRecord(stateDir);
    key = createPublicKey(await checkpointKey(stateDir, checkpoints));
  });

  const problems = async (): Promise<readonly Tampering[]> =>
    (
      await verifyRecord({ writers: async () => [], chain: noRecords }, folder, key)
    ).problems.filter(({ kind }) => kind === "checkpoint");
  const files = async (): Promise<readonly string[]> => (await readdir(folder)).toSorted();
  const edit = async (change: (text: string) => string): Promise<void> => {
    const path = join(folder, (await files())[0] ?? "");
    await writeFile(path, change(await readFile(path, "utf8")));
  };

  test("that nobody touched are believed", async () => {
    expect(await problems()).toEqual([]);
  });

  test("that were changed are not", async () => {
    await edit((text) => text.replace('"seq":13', '"seq":12'));
    expect((await problems())[0]?.message).toContain("not signed by the key");
  });

  test("of another key are not", async () => {
    await rm(join(stateDir, "checkpoint-key.pem"));
    key = createPublicKey(await checkpointKey(stateDir, checkpoints));
    expect(await problems()).toHaveLength(2);
  });

  test("of another writer, put into a file, are not", async () => {
    const [one = "", two = ""] = await files();
    await cp(join(folder, two), join(folder, one));
    expect((await problems())[0]?.message).toContain("is of another writer");
  });

  test("that are gone are missed by a writer that has seen them", async () => {
    await rm(join(folder, (await files())[0] ?? ""));
    expect((await problems())[0]?.message).toContain("another writer has seen one at 13");
  });

  test("whose line is torn by a crash say nothing", async () => {
    await edit((text) => `${text}{"version":1,"wri`);
    expect(await problems()).toEqual([]);
  });
});

async function* noRecords(): AsyncGenerator<never> {}
