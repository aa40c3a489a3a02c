/**
 * The recorded decisions of a time, as a database and as a spool tell them: the same ones.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { AdmissionRecord } from "../../../src/contract/record.ts";
import type { Database } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import type {
  History,
  HistoryFilter,
  HistoryRow,
} from "../../../src/decision/store/read-history.ts";
import { readPruned, storedHistory } from "../../../src/decision/store/read-history.ts";
import { spooledHistory } from "../../../src/decision/store/spooled-history.ts";
import { giveEmbeddedDatabase } from "../../support/embedded-database.ts";
import { eventually } from "../../support/eventually.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { writeDeadSpool } from "../dead-spool.ts";
import { broken } from "../hostile-records.ts";
import { allowed, logOptions, outcome, readSpool } from "../support.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

const kinds: readonly ("embedded" | "postgres")[] =
  postgres === undefined ? ["embedded"] : ["embedded", "postgres"];
const hourMs = 60 * 60_000;
const startMs = Date.now();

function callAt(agoMs: number, changes: Partial<AdmissionRecord> = {}): AdmissionRecord {
  const timeMs = startMs - agoMs;
  const digits = timeMs.toString(16).padStart(12, "0");
  const decisionId = `${digits.slice(0, 8)}-${digits.slice(8)}${newId().slice(13)}`;
  return allowed({ timeMs, decisionId, ...changes });
}

const first = callAt(3 * hourMs);
const mail = callAt(2 * hourMs, { server: "mail", tool: null, actionType: "prompt_get" });
const third = callAt(hourMs);
const last = callAt(0);
const inOrder = [first, mail, third, last].map(({ decisionId }) => decisionId);
const everything: HistoryFilter = {
  sinceMs: 0,
  untilMs: undefined,
  server: undefined,
  limit: undefined,
};

async function rowsOf(history: History): Promise<readonly HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for await (const page of history.pages()) rows.push(...page);
  return rows.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

/** Two writers, the later records first. */
async function writeAll(stateDir: string, url: string | undefined): Promise<void> {
  const store = url === undefined ? ({ kind: "embedded" } as const) : postgresAt(url);
  for (const records of [
    [last, mail],
    [first, third],
  ]) {
    const log = await createDecisionLog({ ...logOptions(stateDir), store });
    for (const record of records) {
      await log.admit(record);
      log.settle(outcome(record.decisionId));
    }
    await eventually(() => log.status().unshippedRecords === 0, 30_000);
    await log.close();
  }
}

function postgresAt(url: string) {
  return { kind: "postgres", url } as const;
}

describe.each(kinds)("the history of the %s store", { timeout: 90_000 }, (kind) => {
  const stateDir = temporaryFolder();
  let database: Database | undefined;
  let open: (filter: Partial<HistoryFilter>) => History;
  const idsOf = async (filter: Partial<HistoryFilter>) => {
    const history = open(filter);
    const ids = (await rowsOf(history)).map(({ id }) => id);
    expect(await history.count()).toBe(ids.length);
    return ids;
  };

  beforeAll(async () => {
    const url = kind === "postgres" ? await postgres?.createDatabase() : undefined;
    await writeAll(stateDir, url);
    if (url === undefined) {
      const spool = spoolFolder(stateDir, "embedded");
      const about = { spool, clock: systemClock, pruned: [] };
      open = (filter) => spooledHistory({ ...about, filter: { ...everything, ...filter } });
    } else {
      const opened = await openMigrated(url);
      database = opened;
      open = (filter) => storedHistory(opened, { ...everything, ...filter });
    }
  }, 60_000);
  afterAll(() => database?.close());

  test("is every admission with its exact text, and nothing else", async () => {
    const rows = await rowsOf(open({}));
    expect(rows.map(({ id }) => id)).toEqual(inOrder);
    expect(rows.map(({ server }) => server)).toEqual(["crm", "mail", "crm", "crm"]);
    // What names no tool goes by what was asked for.
    const tool = "export_customers";
    expect(rows.map((row) => row.tool)).toEqual([tool, "prompt_get", tool, tool]);
    for (const [place, record] of [first, mail, third, last].entries()) {
      const { text } = encodeRecord(record, { id: "x", version: "0" });
      const input = /"input":.*"layers":/.exec(text)?.[0] ?? "no input";
      expect(rows[place]?.record).toContain(input);
    }
    const spooled = kind === "embedded" ? await readSpool(stateDir) : undefined;
    for (const { record } of rows) expect(spooled ?? [record]).toContain(record);
  });

  test("begins at a moment and ends before one", async () => {
    expect(await idsOf({ sinceMs: third.timeMs })).toEqual(inOrder.slice(2));
    expect(await idsOf({ sinceMs: third.timeMs + 1 })).toEqual(inOrder.slice(3));
    expect(await idsOf({ untilMs: third.timeMs })).toEqual(inOrder.slice(0, 2));
    expect(await idsOf({ untilMs: third.timeMs + 1 })).toEqual(inOrder.slice(0, 3));
    expect(await idsOf({ sinceMs: startMs + hourMs })).toEqual([]);
  });

  test("is that of one server, by its whole name", async () => {
    expect(await idsOf({ server: "mail" })).toEqual(inOrder.slice(1, 2));
    expect(await idsOf({ server: "mai" })).toEqual([]);
  });

  test("ends with the newest so many, of all writers", async () => {
    expect(await idsOf({ limit: 1 })).toEqual(inOrder.slice(3));
    expect(await idsOf({ limit: 3 })).toEqual(inOrder.slice(1));
    expect(await idsOf({ limit: 9 })).toEqual(inOrder);
    expect(await idsOf({ limit: 1, server: "mail" })).toEqual(inOrder.slice(1, 2));
  });
});

describe("what retention took away", { timeout: 90_000 }, () => {
  const headerOf = ({ decisionId }: AdmissionRecord): HistoryRow => ({
    id: decisionId,
    server: "crm",
    tool: "export_customers",
    record: null,
  });

  test("is told by the index, and counts as history", async () => {
    const stateDir = temporaryFolder();
    await giveEmbeddedDatabase(stateDir);
    await writeAll(stateDir, undefined);
    const { clock, log } = logOptions(stateDir);
    const database = await openStore({ stateDir, store: { kind: "embedded" }, clock, log });
    expect(await readPruned(database, everything)).toEqual([]);
    const remove = "DELETE FROM mcp_gateway.decision_payload WHERE decision_id = ANY($1::uuid[])";
    await database.query(remove, [[first.decisionId, last.decisionId]]);
    const pruned = await readPruned(database, everything);
    expect(pruned).toEqual([headerOf(last), headerOf(first)]);
    expect(await readPruned(database, { ...everything, limit: 1 })).toEqual([headerOf(last)]);
    const inDatabase = await rowsOf(storedHistory(database, everything));
    await database.close();

    // The spool has them still, and nobody reads them there.
    const spool = spoolFolder(stateDir, "embedded");
    const about = { spool, clock, pruned };
    const rows = await rowsOf(spooledHistory({ ...about, filter: everything }));
    expect(rows).toEqual(inDatabase);
    expect(rows.map(({ record }) => record === null)).toEqual([true, false, false, true]);
    const newest = spooledHistory({ ...about, filter: { ...everything, limit: 2 } });
    expect((await rowsOf(newest)).map(({ id }) => id)).toEqual(inOrder.slice(2));
    expect(await newest.count()).toBe(2);
  });
});

describe("a spool", () => {
  test("with frames that are no records, or in no folder, has the others or none", async () => {
    const stateDir = temporaryFolder();
    const text = (record: AdmissionRecord) => encodeRecord(record, { id: "x", version: "0" });
    const noId = text(callAt(0, { decisionId: "no-uuid" }));
    await writeDeadSpool(stateDir, [...broken, noId, text(first)]);
    const about = { clock: systemClock, filter: everything, pruned: [] };
    const spool = spoolFolder(stateDir, "embedded");
    const rows = await rowsOf(spooledHistory({ ...about, spool }));
    expect(rows.map(({ id }) => id)).toEqual([first.decisionId]);
    const nowhere = spooledHistory({ ...about, spool: join(stateDir, "nowhere") });
    expect(await rowsOf(nowhere)).toEqual([]);
  });
});
