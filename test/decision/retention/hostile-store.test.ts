/**
 * Whoever can write the store cannot have the removal of what they hide vouched for: pruning states
 * what was written, is old, and passes through the checkpoints, and nothing else.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { Database } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { readCheckpoints } from "../../../src/decision/integrity/read-checkpoints.ts";
import { pruneRecord } from "../../../src/decision/retention/prune-record.ts";
import { beforeDays, pruneStore } from "../../../src/decision/retention/prune-store.ts";
import { requireWhole } from "../../../src/decision/retention/require-whole.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { storeChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { Witness } from "./old-records.ts";
import { checkpoints, dayMs, idAt, witnessOf, writeCalls } from "./old-records.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

interface World {
  readonly stateDir: string;
  readonly database: Database;
  readonly witness: Witness;
  readonly writer: string;
  readonly prune: (isProven?: boolean) => Promise<unknown>;
  readonly kinds: () => Promise<readonly string[]>;
}

/** Two calls of forty days ago (places 1 to 4) and two of today (5 to 8). */
async function open(): Promise<World> {
  const stateDir = temporaryFolder();
  await writeCalls(
    stateDir,
    [40, 40, 0, 0].map((daysAgo) => ({ daysAgo })),
  );
  const url = (await postgres?.createDatabase()) ?? "";
  const database = await openMigrated(url);
  onTestFinished(() => database.close());
  const [clock, log] = [systemClock, createTestLog()];
  await takeIn(database, { spool: spoolFolder(stateDir, "embedded"), clock, log });
  const witness = await witnessOf(stateDir);
  const [row] = await database.query("SELECT writer FROM mcp_gateway.decision LIMIT 1");
  const place = { stateDir, store: { kind: "postgres", url }, checkpoints, clock, log } as const;
  const headerBeforeMs = beforeDays(30, Date.now());
  const cutoffs = { payloadBeforeMs: undefined, headerBeforeMs };
  return {
    stateDir,
    database,
    witness,
    writer: String(row?.["writer"]),
    prune: (isProven = true) =>
      pruneRecord(place, { cutoffs, by: "olga", isDryRun: false, isProven }),
    kinds: async () => {
      const chains = storeChains(database);
      const { problems } = await verifyRecord(chains, witness.folder, witness.key);
      return problems.map(({ kind, seq }) => `${kind} ${seq}`);
    },
  };
}

async function count(database: Database): Promise<number> {
  const [row] = await database.query("SELECT count(*)::int AS rows FROM mcp_gateway.decision");
  return Number(row?.["rows"]);
}

const refused = { code: "record_not_whole" };

describe.skipIf(postgres === undefined)("pruning a store that lies", { timeout: 90_000 }, () => {
  test("goes on as before where nobody has touched it", async () => {
    const { database, prune, kinds } = await open();
    await prune();
    expect([await count(database), await kinds()]).toEqual([4, []]);
  });

  test("does not vouch for records of today that were moved into an old day", async () => {
    const { database, prune, kinds } = await open();
    await database.query(
      "UPDATE mcp_gateway.decision SET decision_id = $1::uuid WHERE seq IN (5, 6)",
      [idAt(Date.now() - 40 * dayMs)],
    );
    await expect(prune()).rejects.toMatchObject(refused);
    expect(await count(database)).toBe(8);
    expect(await kinds()).toContain("edited 5");
    await prune(false);
    expect(await kinds()).toContain("missing 1");
  });

  test("does not vouch for a record whose column was changed", async () => {
    const { database, prune, kinds } = await open();
    await database.query("UPDATE mcp_gateway.decision SET agent = 'nobody' WHERE seq = 3");
    await expect(prune()).rejects.toMatchObject(refused);
    expect(await kinds()).toEqual(["edited 3"]);
  });

  test("writes nothing outside the folder of checkpoints", async () => {
    const { stateDir, database, witness, prune } = await open();
    await mkdir(join(stateDir, "elsewhere"));
    await database.query("UPDATE mcp_gateway.decision SET writer = '../elsewhere/x'");
    await expect(prune()).rejects.toThrow(/writer/);
    const cutoffs = { payloadBeforeMs: undefined, headerBeforeMs: beforeDays(30, Date.now()) };
    const about = { holds: async () => [], by: "olga", isDryRun: false, log: createTestLog() };
    const unseen = pruneStore(database, { cutoffs, ...about, prove: witness.prove });
    await expect(unseen).rejects.toThrow(/writer/);
    expect(await readdir(join(stateDir, "elsewhere"))).toEqual([]);
    expect(await count(database)).toBe(8);
  });

  test("does not vouch for what is not old, or has another history than a checkpoint", async () => {
    const { database, witness, writer } = await open();
    const { statements } = await readCheckpoints(witness.folder, witness.key);
    const rows = await database.query(
      `SELECT encode(previous_link, 'hex') AS previous, encode(link, 'hex') AS link
       FROM mcp_gateway.decision WHERE seq IN (1, 5, 6) ORDER BY seq`,
    );
    const [first, fifth, sixth] = rows.map(({ previous, link }) => ({
      previous: String(previous),
      link: String(link),
    }));
    const look = (range: object, stated = statements): Promise<void> => {
      const whole = { first: 1, last: 1, previous: "", link: "", ...range };
      const beforeMs = beforeDays(30, Date.now());
      return requireWhole(database, new Map([[writer, [whole]]]), { beforeMs, stated });
    };
    await look({ ...first });
    const today = { first: 5, last: 6, previous: fifth?.previous ?? "", link: sixth?.link ?? "" };
    await expect(look(today)).rejects.toMatchObject(refused);
    await expect(look({ ...first, last: 2 })).rejects.toMatchObject(refused);
    const other = (statements.get(writer) ?? []).map((one) => ({ ...one, seq: 1 }));
    const elsewhere = new Map([[writer, other]]);
    await expect(look({ ...first }, elsewhere)).rejects.toMatchObject(refused);
  });
});
