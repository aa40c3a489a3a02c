/**
 * A package of a store begins at the last checkpoint before its time, which states where the chain
 * stood; without one that the key has signed it begins where the writer began.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import { makePackage } from "../../../src/decision/package/make-package.ts";
import type { MadePackage } from "../../../src/decision/package/make-package.ts";
import { verifyPackage } from "../../../src/decision/package/verify-package.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { storeChains } from "../../../src/decision/verify-record.ts";
import { giveEmbeddedDatabase } from "../../support/embedded-database.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions } from "../support.ts";
import { filesOf } from "./package-setting.ts";

const stateDir = temporaryFolder();
const folder = join(stateDir, "checkpoints");
let database: Database;
let sinceMs = 0;

beforeAll(async () => {
  const checkpoints = { folder: undefined, key: undefined, everyMs: 1 };
  const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
  for (let call = 0; call < 3; call += 1) await log.admit(allowed());
  await eventually(async () => (await statedLines()).some((line) => line.includes('"seq":3,')));
  await wait(20);
  sinceMs = Date.now();
  await wait(20);
  for (let call = 0; call < 2; call += 1) await log.admit(allowed());
  await log.close();
  await giveEmbeddedDatabase(stateDir);
  database = await openStore(logOptions(stateDir));
  await database.query("DELETE FROM mcp_gateway.decision WHERE seq = 2");
}, 60_000);
afterAll(() => database.close());

async function statedLines(): Promise<readonly string[]> {
  const [name] = await readdir(folder).catch(() => []);
  return name === undefined ? [] : (await readFile(join(folder, name), "utf8")).split("\n");
}

async function made(key: KeyObject): Promise<MadePackage> {
  const readBundle = async (): Promise<undefined> => undefined;
  const about = { checkpoints: folder, key, sinceMs, nowMs: Date.now(), readBundle };
  return await makePackage({ ...about, chains: storeChains(database), scratch: temporaryFolder() });
}

test("what a checkpoint stands for is left out, and the rest is followed from there", async () => {
  const key = await checkpointKey(stateDir, { folder, key: undefined, everyMs: 1 });
  const found = await made(key);
  expect(found.manifest.writers).toMatchObject([{ records: 2, left_out: [{ first: 1, last: 3 }] }]);
  const verified = verifyPackage(await filesOf(found), createPublicKey(key));
  expect(verified).toMatchObject({ records: 2, problems: [] });
});

test("a checkpoint of another key stands for nothing", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const found = await made(privateKey);
  expect(found.manifest.writers).toMatchObject([{ records: 3, left_out: [{ first: 1, last: 1 }] }]);
  const { problems } = verifyPackage(await filesOf(found), publicKey);
  expect(problems).toContainEqual(expect.objectContaining({ kind: "missing", seq: 2 }));
});
