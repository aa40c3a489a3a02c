/**
 * What operators and bundles did, and what became of approvals: it goes with the headers, with a
 * statement, unless it is held.
 */
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { NotedRecord } from "../../../src/contract/record.ts";
import type { Database } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import type { Hold } from "../../../src/decision/retention/hold.ts";
import type { PruneOptions, PruneResult } from "../../../src/decision/retention/prune-store.ts";
import { beforeDays, pruneStore } from "../../../src/decision/retention/prune-store.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { storeChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import type { Verification } from "../../../src/decision/verify-record.ts";
import { giveEmbeddedDatabase } from "../../support/embedded-database.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions } from "../support.ts";
import { checkpoints, dayMs, holdOn, idAt, witnessOf } from "./old-records.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];

interface Noted {
  readonly database: Database;
  /** Of the decision that the old approval is about. */
  readonly asked: string;
  readonly prune: (changes?: Partial<PruneOptions>) => Promise<PruneResult>;
  readonly verify: () => Promise<Verification>;
  readonly left: () => Promise<readonly string[]>;
}

describe.each(kinds)("notes in the %s store", { timeout: 90_000 }, (kind) => {
  test("past the headers' retention go, and every chain is whole", async () => {
    const { prune, verify, left } = await open(kind);
    expect(await prune()).toMatchObject({ notes: 3, headers: 1, held: 0 });
    expect(await left()).toEqual(["activation", "admin", "approval"]);
    expect(await verify()).toMatchObject({ records: 4, pruned: 4, problems: [] });
    expect(await prune()).toMatchObject({ notes: 0 });
  });

  test("stay where the statement cannot be written", async () => {
    const { prune, left } = await open(kind);
    const prove = (): Promise<void> => Promise.reject(new Error("no room"));
    await expect(prune({ prove })).rejects.toThrow("no room");
    expect(await left()).toHaveLength(6);
  });
});

describe("notes", { timeout: 90_000 }, () => {
  // The statements are the same in both, and Postgres is there faster.
  const kind = kinds.at(-1) ?? "";

  test("stay while only payloads go", async () => {
    const { prune, left } = await open(kind);
    const cutoffs = { payloadBeforeMs: beforeDays(30, Date.now()), headerBeforeMs: undefined };
    expect(await prune({ cutoffs })).toMatchObject({ notes: 0, payloads: 1 });
    expect(await left()).toHaveLength(6);
  });

  test("are counted and left by a dry run", async () => {
    const { prune, left } = await open(kind);
    expect(await prune({ isDryRun: true })).toMatchObject({ notes: 3 });
    expect(await left()).toHaveLength(6);
  });

  test("removed without a statement are missing", async () => {
    const { prune, verify } = await open(kind);
    await prune({ prove: undefined });
    expect((await verify()).problems[0]).toMatchObject({ kind: "missing", seq: 1 });
  });

  const day = new Date(Date.now() - 30 * dayMs).toISOString();
  test.each<[string, (asked: string) => Partial<Hold>, number]>([
    ["the decision that an approval is about", (asked) => ({ decision_ids: [asked] }), 1],
    ["the agent, with all that may be its", () => ({ agent: "support-bot" }), 3],
    ["another agent, with all that may be its", () => ({ agent: "mallory" }), 2],
    ["a server and a user", () => ({ server: "mail", user: "alice" }), 2],
    ["a time", () => ({ until: day }), 3],
    ["a later time", () => ({ from: day }), 0],
    ["another tenant", () => ({ tenant: "other" }), 0],
  ])("stay where somebody holds %s", async (_, scopeOf, kept) => {
    const { asked, prune, left, verify } = await open(kind);
    const holds = async (): Promise<readonly Hold[]> => [holdOn(scopeOf(asked))];
    expect(await prune({ holds })).toMatchObject({ notes: 3 - kept });
    expect(await left()).toHaveLength(3 + kept);
    expect((await verify()).problems).toEqual([]);
  });
});

/** Three notes and a call of forty days ago, and the same of today. */
async function open(kind: string): Promise<Noted> {
  const stateDir = temporaryFolder();
  const log = await createDecisionLog({ ...logOptions(stateDir), checkpoints });
  let asked = "";
  for (const daysAgo of [40, 0]) {
    const timeMs = Date.now() - daysAgo * dayMs;
    const decisionId = idAt(timeMs);
    asked ||= decisionId;
    const [activation, approval, admin] = notesOf(timeMs, decisionId);
    if (activation !== undefined) await log.note(activation);
    await log.admit(allowed({ decisionId, timeMs }));
    if (approval !== undefined) await log.note(approval);
    if (admin !== undefined) await log.note(admin);
  }
  await log.close();
  const database = await openDatabase(kind, stateDir);
  onTestFinished(() => database.close());
  const { folder, key, prove } = await witnessOf(stateDir);
  const cutoffs = { payloadBeforeMs: undefined, headerBeforeMs: beforeDays(30, Date.now()) };
  const common = { cutoffs, prove, by: "olga", isDryRun: false, log: createTestLog() };
  return {
    database,
    asked,
    prune: (changes) => pruneStore(database, { holds: async () => [], ...common, ...changes }),
    verify: () => verifyRecord(storeChains(database), folder, key),
    left: async () => {
      const rows = await database.query("SELECT kind FROM mcp_gateway.note ORDER BY kind");
      return rows.map((row) => String(row["kind"]));
    },
  };
}

function notesOf(timeMs: number, forDecisionId: string): readonly NotedRecord[] {
  const head = (): { decisionId: string; timeMs: number; tenant: string } => ({
    decisionId: idAt(timeMs),
    timeMs,
    tenant: "default",
  });
  const bundle = { layer: "crm", layerKind: "server", reference: "oci://r/crm:1" } as const;
  const change = { event: "activated", digest: undefined, previous: undefined } as const;
  const who = { by: "olga", reason: null };
  return [
    {
      kind: "activation",
      ...head(),
      ...bundle,
      ...change,
      revision: "1",
      by: "olga",
      why: null,
      code: null,
      signers: [],
    },
    {
      kind: "approval",
      ...head(),
      ...who,
      approvalId: "a1",
      event: "approved",
      forDecisionId,
      server: "crm",
      tool: "export_customers",
      agent: "support-bot",
      user: "alice",
      channel: "cli",
      argsSha256: "sha256:00",
      expiresMs: timeMs + 1000,
    },
    { kind: "admin", ...head(), ...who, action: "block", subject: "agent x", details: {} },
  ];
}

async function openDatabase(kind: string, stateDir: string): Promise<Database> {
  if (kind === "embedded") {
    await giveEmbeddedDatabase(stateDir);
    return await openStore(logOptions(stateDir));
  }
  const database = await openMigrated((await postgres?.createDatabase()) ?? "");
  const spool = spoolFolder(stateDir, "embedded");
  await takeIn(database, { spool, clock: systemClock, log: createTestLog() });
  return database;
}
