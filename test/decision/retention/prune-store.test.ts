import { generateKeyPairSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { Database } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { proveIn } from "../../../src/decision/integrity/pruned-range.ts";
import type { Hold } from "../../../src/decision/retention/hold.ts";
import type { PruneOptions } from "../../../src/decision/retention/prune-store.ts";
import { beforeDays, pruneStore } from "../../../src/decision/retention/prune-store.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { getDecision, listDecisions } from "../../../src/decision/store/query-decisions.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { storeChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import type { Verification } from "../../../src/decision/verify-record.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { logOptions } from "../support.ts";
import type { OldCall, Witness } from "./old-records.ts";
import { holdOn, witnessOf, writeCalls } from "./old-records.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];

/** Two each day, of two agents, and two of today. */
const calls: readonly OldCall[] = [
  { daysAgo: 40 },
  { daysAgo: 40, agent: "mallory" },
  { daysAgo: 10 },
  { daysAgo: 10, agent: "mallory" },
  { daysAgo: 0 },
  { daysAgo: 0, agent: "mallory" },
];

interface Pruned {
  readonly database: Database;
  readonly ids: readonly string[];
  readonly witness: Witness;
  readonly verify: () => Promise<Verification>;
  readonly count: (table: string) => Promise<number>;
  readonly prune: (days: Days, changes?: Partial<PruneOptions>) => ReturnType<typeof pruneStore>;
}

interface Days {
  readonly payload?: number;
  readonly header?: number;
}

describe.each(kinds)("pruning the %s store", { timeout: 90_000 }, (kind) => {
  const open = (): Promise<Pruned> => openPruned(kind);

  test("removes old payloads, leaves headers, and every chain is whole", async () => {
    const { database, ids, prune, verify, count } = await open();
    expect(await prune({ payload: 30 })).toEqual({
      payloads: 4,
      headers: 0,
      notes: 0,
      held: 0,
      busy: [],
    });
    expect([await count("decision"), await count("decision_payload")]).toEqual([12, 8]);
    expect(await verify()).toMatchObject({ records: 13, pruned: 0, problems: [] });
    expect(await listDecisions(database, { limit: 10 })).toHaveLength(6);
    const pruned = await getDecision(database, ids[0] ?? "");
    expect(pruned).toMatchObject({ outcome: "completed", admission: null, outcome_record: null });
    expect(pruned.payload_pruned_at).toMatch(/^\d{4}-/);
    expect((await getDecision(database, ids[2] ?? "")).payload_pruned_at).toBeUndefined();
  });

  test("removes old headers with a signed statement, and every chain is whole", async () => {
    const { prune, verify, count } = await open();
    expect(await prune({ header: 30 })).toEqual({
      payloads: 4,
      headers: 4,
      notes: 0,
      held: 0,
      busy: [],
    });
    expect([await count("decision"), await count("decision_payload")]).toEqual([8, 8]);
    expect(await verify()).toMatchObject({ records: 9, pruned: 4, problems: [] });
    expect(await prune({ header: 5 })).toMatchObject({ payloads: 4, headers: 4 });
    expect(await verify()).toMatchObject({ records: 5, pruned: 8, problems: [] });
  });

  test("what is held stays, payload and header, and all the rest goes", async () => {
    const { database, ids, prune, verify } = await open();
    const holds = async (): Promise<readonly Hold[]> => [holdOn({ agent: "mallory" })];
    const pruned = await prune({ payload: 5, header: 30 }, { holds });
    expect(pruned).toMatchObject({ payloads: 4, headers: 2, held: 4 });
    expect((await getDecision(database, ids[1] ?? "")).admission).not.toBeNull();
    expect((await getDecision(database, ids[1] ?? "")).outcome_record).not.toBeNull();
    expect((await getDecision(database, ids[3] ?? "")).admission).not.toBeNull();
    expect((await getDecision(database, ids[2] ?? "")).admission).toBeNull();
    await expect(getDecision(database, ids[0] ?? "")).rejects.toMatchObject({
      code: "decision_unknown",
    });
    expect(await verify()).toMatchObject({ pruned: 2, problems: [] });
  });
});

describe.skipIf(postgres === undefined)("pruning a store of postgres", { timeout: 90_000 }, () => {
  const open = (): Promise<Pruned> => openPruned("postgres");

  test("a payload that is left and tampered with is still found", async () => {
    const { database, prune, verify } = await open();
    await prune({ payload: 30 });
    await database.query(
      `UPDATE mcp_gateway.decision_payload SET record = convert_to(replace(
        convert_from(record, 'UTF8'), 'ü', 'x'), 'UTF8') WHERE kind = 'admission'`,
    );
    expect((await verify()).problems[0]).toMatchObject({ kind: "edited" });
  });

  test("partitions of days that went as a whole are gone, the default one is not", async () => {
    const { database, prune } = await open();
    await prune({ header: 30 });
    const rows = await database.query(
      `SELECT relname::text AS name FROM pg_class WHERE relname ~ '^decision_(default|[0-9]{8})$'`,
    );
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const names = rows.map(({ name }) => String(name));
    expect(names).toContain("decision_default");
    expect(names).toContain(`decision_${today}`);
    expect(names.filter((name) => name !== "decision_default")).toHaveLength(2);
  });

  test("what somebody else removes behind what was pruned is found", async () => {
    const { database, prune, verify } = await open();
    await prune({ header: 30 });
    await database.query("DELETE FROM mcp_gateway.decision WHERE seq IN (5, 6)");
    expect((await verify()).problems[0]).toMatchObject({ kind: "missing", seq: 5 });
  });

  test("what was removed without a statement is found", async () => {
    const { prune, verify } = await open();
    await prune({ header: 30 }, { prove: undefined });
    expect((await verify()).problems[0]).toMatchObject({ kind: "missing", seq: 1 });
  });

  test("statements that are gone, or of another key, vouch for nothing", async () => {
    const { prune, verify, witness } = await open();
    const { privateKey } = generateKeyPairSync("ed25519");
    await prune({ header: 30 }, { prove: proveIn(witness.folder, privateKey, systemClock.nowMs) });
    const { problems } = await verify();
    expect(problems.map(({ kind }) => kind)).toEqual(["checkpoint", "missing"]);
    const { writer } = problems[0] ?? { writer: "" };
    await rm(join(witness.folder, `${writer}.pruned`), { force: true });
    expect((await verify()).problems[0]).toMatchObject({ kind: "missing", seq: 1 });
  });

  test("what was missing before is not vouched for", async () => {
    const { database, prune, verify } = await open();
    await database.query("DELETE FROM mcp_gateway.decision WHERE seq = 2");
    await prune({ header: 5 });
    expect((await verify()).problems[0]).toMatchObject({ kind: "missing", seq: 2 });
  });

  test.each<[string, (ids: readonly string[]) => Partial<Hold>]>([
    ["ids", (ids) => ({ decision_ids: [ids[0] ?? "", ids[1] ?? ""] })],
    ["user", () => ({ user: "alice", until: at(20) })],
    ["server", () => ({ server: "crm", until: at(20) })],
    ["time", () => ({ from: at(41), until: at(39) })],
  ])("a hold by %s keeps what it names", async (_, scopeOf) => {
    const { ids, prune, count } = await open();
    const holds = async (): Promise<readonly Hold[]> => [holdOn(scopeOf(ids))];
    expect(await prune({ header: 5 }, { holds })).toMatchObject({ headers: 4, held: 4 });
    expect(await count("decision")).toBe(8);
  });

  test("a hold keeps what it names by a name that is longer than a column", async () => {
    const { database, prune } = await open();
    await database.query(
      "UPDATE mcp_gateway.decision SET agent = repeat('m', 512) WHERE agent IS NOT NULL",
    );
    const holds = async (): Promise<readonly Hold[]> => [holdOn({ agent: "m".repeat(600) })];
    expect(await prune({ header: 5 }, { holds })).toMatchObject({ headers: 0, held: 8 });
  });

  test("a hold of another tenant, agent or time keeps nothing", async () => {
    const { prune } = await open();
    const holds = async (): Promise<readonly Hold[]> => [
      holdOn({ tenant: "other" }),
      holdOn({ agent: "nobody" }),
      holdOn({ from: at(30), until: at(20) }),
    ];
    expect(await prune({ header: 5 }, { holds })).toMatchObject({ headers: 8, held: 0 });
  });

  test("a decision whose admission is gone is held by whatever may mean it", async () => {
    const { database, prune } = await open();
    await database.query("DELETE FROM mcp_gateway.decision WHERE kind = 'admission'");
    const holds = async (): Promise<readonly Hold[]> => [holdOn({ agent: "mallory" })];
    expect(await prune({ header: 5 }, { holds })).toMatchObject({ headers: 0, held: 4 });
  });

  test("a dry run says what would go and removes nothing", async () => {
    const { prune, count, verify } = await open();
    expect(await prune({ header: 30 }, { isDryRun: true })).toMatchObject({ headers: 4 });
    expect(await count("decision")).toBe(12);
    expect(await count("prune_run")).toBe(0);
    expect(await verify()).toMatchObject({ pruned: 0, problems: [] });
  });

  test("where the statement cannot be written nothing is removed", async () => {
    const { prune, count } = await open();
    const prove = (): Promise<void> => Promise.reject(new Error("no room"));
    await expect(prune({ header: 30 }, { prove })).rejects.toThrow("no room");
    expect(await count("decision")).toBe(12);
  });
});

async function openPruned(kind: string): Promise<Pruned> {
  const stateDir = temporaryFolder();
  const ids = await writeCalls(stateDir, calls);
  const database = await openDatabase(kind, stateDir);
  onTestFinished(() => database.close());
  const witness = await witnessOf(stateDir);
  const { folder, key, prove } = witness;
  return {
    database,
    ids,
    witness,
    verify: () => verifyRecord(storeChains(database), folder, key),
    count: async (table) => {
      const [row] = await database.query(`SELECT count(*)::int AS count FROM mcp_gateway.${table}`);
      return Number(row?.["count"]);
    },
    prune: ({ payload, header }, changes = {}) =>
      pruneStore(database, {
        cutoffs: { payloadBeforeMs: cutoff(payload), headerBeforeMs: cutoff(header) },
        holds: async () => [],
        prove,
        by: "olga",
        isDryRun: false,
        log: createTestLog(),
        ...changes,
      }),
  };
}

async function openDatabase(kind: string, stateDir: string): Promise<Database> {
  if (kind === "embedded") return await openStore(logOptions(stateDir));
  const database = await openMigrated((await postgres?.createDatabase()) ?? "");
  const spool = spoolFolder(stateDir, "embedded");
  await takeIn(database, { spool, clock: systemClock, log: createTestLog() });
  return database;
}

function cutoff(days: number | undefined): number | undefined {
  return days === undefined ? undefined : beforeDays(days, Date.now());
}

function at(daysAgo: number): string {
  return new Date(Date.now() - daysAgo * 86_400_000).toISOString();
}
