/**
 * What a store hides from whoever makes a package of it is shown to whoever verifies the package.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import { signCheckpoint } from "../../../src/decision/integrity/checkpoint.ts";
import { makePackage } from "../../../src/decision/package/make-package.ts";
import type { PackageVerification } from "../../../src/decision/package/verify-package.ts";
import { verifyPackage } from "../../../src/decision/package/verify-package.ts";
import { beforeDays, pruneStore } from "../../../src/decision/retention/prune-store.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { storeChains } from "../../../src/decision/verify-record.ts";
import { giveEmbeddedDatabase } from "../../support/embedded-database.ts";
import { createTestLog } from "../../support/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { OldCall } from "../retention/old-records.ts";
import { checkpoints, dayMs, witnessOf, writeCalls } from "../retention/old-records.ts";
import { logOptions } from "../support.ts";
import { filesOf } from "./package-setting.ts";

interface World {
  readonly folder: string;
  readonly database: Database;
  /** Makes a package of the last `days` and verifies it. */
  readonly packed: (days: number) => Promise<PackageVerification>;
  readonly prune: (days: number) => Promise<unknown>;
}

/** A store of some writers; each one's records are two for a call and one of an operator. */
async function open(...writers: readonly (readonly OldCall[])[]): Promise<World> {
  const stateDir = temporaryFolder();
  for (const calls of writers) await writeCalls(stateDir, calls);
  await giveEmbeddedDatabase(stateDir);
  const database = await openStore(logOptions(stateDir));
  onTestFinished(() => database.close());
  const { folder, prove } = await witnessOf(stateDir);
  const key = await checkpointKey(stateDir, checkpoints);
  const packed = async (days: number): Promise<PackageVerification> => {
    const nowMs = Date.now();
    const since = { sinceMs: nowMs - days * dayMs, nowMs };
    const chains = storeChains(database);
    const readBundle = async (): Promise<undefined> => undefined;
    const place = { chains, checkpoints: folder, key, scratch: temporaryFolder() };
    const made = await makePackage({ ...place, ...since, readBundle });
    return verifyPackage(await filesOf(made), createPublicKey(key));
  };
  const prune = (days: number): Promise<unknown> =>
    pruneStore(database, {
      cutoffs: { payloadBeforeMs: undefined, headerBeforeMs: beforeDays(days, Date.now()) },
      holds: async () => [],
      prove,
      by: "olga",
      isDryRun: false,
      log: createTestLog(),
    });
  return { folder, database, packed, prune };
}

const today = { daysAgo: 0 };
const old = { daysAgo: 40 };

async function forget(database: Database, where: string): Promise<void> {
  for (const table of ["decision", "admin_action"]) {
    await database.query(`DELETE FROM mcp_gateway.${table} WHERE ${where}`);
  }
}

describe("a package shows", { timeout: 120_000 }, () => {
  test("that the first records of its time are missing", async () => {
    const { database, packed } = await open([today, today]);
    await forget(database, "seq <= 2");
    expect((await packed(90)).problems[0]).toMatchObject({ kind: "missing", seq: 1 });
  });

  test("that records are missing where its time begins", async () => {
    const { database, packed } = await open([old, today, today]);
    expect(await packed(20)).toMatchObject({ records: 5, problems: [] });
    await forget(database, "seq IN (3, 4)");
    expect((await packed(20)).problems[0]).toMatchObject({ kind: "missing", seq: 3 });
  });

  test("a record that was made older to fall out of its time", async () => {
    const { database, packed } = await open([old, today, today]);
    await database.query(
      `UPDATE mcp_gateway.decision_payload SET document = NULL, record = convert_to(regexp_replace(
        convert_from(record, 'UTF8'), '"timestamp":"[0-9]{4}', '"timestamp":"2020'), 'UTF8')
       WHERE decision_id IN (SELECT decision_id FROM mcp_gateway.decision WHERE seq = 3)`,
    );
    expect((await packed(20)).problems[0]).toMatchObject({ kind: "edited", seq: 3 });
  });

  test("that a whole writer is missing, unless it had ended before", async () => {
    const { database, packed } = await open([today], [today, today]);
    const [row] = await database.query("SELECT max(writer) AS writer FROM mcp_gateway.decision");
    await forget(database, `writer = '${String(row?.["writer"])}'`);
    const [first, ...others] = (await packed(90)).problems;
    expect(first).toMatchObject({ kind: "truncated", seq: 1, writer: row?.["writer"] });
    expect(others).toEqual([]);
    expect(await packed(-1)).toMatchObject({ writers: 0, problems: [] });
  });

  test("nothing of a writer of which somebody without the key has written", async () => {
    const { folder, packed } = await open([today]);
    const { privateKey: stranger } = generateKeyPairSync("ed25519");
    const hex64 = "0".repeat(64);
    const place = { version: 1, writer: "nobody", seq: 7, link: hex64, previous: null } as const;
    const about = { time: new Date().toISOString(), final: true, others: {}, key: hex64 };
    const line = signCheckpoint({ ...place, ...about }, stranger);
    await writeFile(join(folder, "nobody.checkpoints"), `${line}\n`);
    expect(await packed(90)).toMatchObject({ writers: 1, problems: [] });
  });
});

test("what was pruned is left out, also where its time begins behind it", async () => {
  const { packed, prune } = await open([{ daysAgo: 60 }, old, today]);
  await prune(50);
  expect(await packed(90)).toMatchObject({ records: 5, problems: [] });
  expect(await packed(20)).toMatchObject({ records: 3, problems: [] });
}, 120_000);
