/**
 * Records of people: what becomes of a request for approval, and what operators change.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { AdminRecord, ApprovalRecord } from "../../src/contract/record.ts";
import type { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { openEmbedded } from "../../src/database/pglite.ts";
import { openPostgres } from "../../src/database/postgres.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { encodeRecord } from "../../src/decision/encode-record.ts";
import { spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { getDecision, getRecord, listDecisions } from "../../src/decision/store/query-decisions.ts";
import { takeIn } from "../../src/decision/store/take-in.ts";
import { createTestLog } from "../support/log.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { deadWriter, writeDeadSpool } from "./dead-spool.ts";
import { faultyFiles, systemError } from "./faulty-files.ts";
import { allowed, logOptions, readSpool } from "./support.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];
const labels = { id: "writer", version: "0" };
const timeMs = Date.UTC(2026, 10, 22, 13, 45, 0, 123);

const approval: ApprovalRecord = {
  kind: "approval",
  decisionId: newId(),
  timeMs,
  tenant: "default",
  approvalId: "a-1",
  event: "approved",
  forDecisionId: newId(),
  server: "crm",
  tool: "refund",
  agent: "support-bot",
  user: "alice",
  by: "bob",
  channel: "cli",
  reason: "the customer called",
  argsSha256: "sha256:00",
  expiresMs: timeMs + 60_000,
};

const admin: AdminRecord = {
  kind: "admin",
  decisionId: newId(),
  timeMs,
  tenant: "default",
  by: "carol",
  action: "block",
  subject: "agent support-bot",
  reason: "it loops",
  details: { kind: "agent", id: "support-bot" },
};

test("an approval is written in snake_case, and null for what is not there", () => {
  const nobody = { ...approval, by: null, channel: null, reason: null, tool: null };
  expect(JSON.parse(encodeRecord(nobody, labels).text)).toEqual({
    kind: "approval",
    decision_id: approval.decisionId,
    timestamp: "2026-11-22T13:45:00.123000000Z",
    labels,
    tenant: "default",
    approval_id: "a-1",
    event: "approved",
    for_decision_id: approval.forDecisionId,
    server: "crm",
    tool: null,
    agent: "support-bot",
    user: "alice",
    by: null,
    channel: null,
    reason: null,
    args_sha256: "sha256:00",
    expires_at: "2026-11-22T13:46:00.123000000Z",
  });
});

test("an operator's action is written in snake_case", () => {
  expect(JSON.parse(encodeRecord(admin, labels).text)).toEqual({
    kind: "admin",
    decision_id: admin.decisionId,
    timestamp: "2026-11-22T13:45:00.123000000Z",
    labels,
    tenant: "default",
    by: "carol",
    action: "block",
    subject: "agent support-bot",
    reason: "it loops",
    details: { kind: "agent", id: "support-bot" },
  });
});

test.each([approval, admin])("noting $kind resolves once it is on the disk", async (note) => {
  const stateDir = temporaryFolder();
  const decisions = await createDecisionLog({ ...logOptions(stateDir), durability: "async" });
  await decisions.note(note);
  expect(decisions.status().committedRecords).toBe(1);
  expect(await readSpool(stateDir)).toEqual([expect.stringContaining(`"kind":"${note.kind}"`)]);
  await decisions.close();
});

test.each([approval, admin])("noting $kind rejects where the disk fails", async (note) => {
  const files = faultyFiles({
    sync: () => {
      throw systemError("EIO");
    },
  });
  const decisions = await createDecisionLog({ ...logOptions(temporaryFolder()), files });
  await expect(decisions.note(note)).rejects.toMatchObject({ code: "audit_unavailable" });
  await decisions.close();
});

describe.each(kinds)("the %s store", { timeout: 90_000 }, (kind) => {
  let database: Database;
  const log = createTestLog();
  const call = allowed();
  const hostile: AdminRecord = {
    ...admin,
    decisionId: newId(),
    subject: "s".repeat(10_000),
    reason: "nul\0 and \ud800",
    details: { text: "nul\0" },
  };
  const rowsOf = async (table: string): Promise<readonly unknown[]> => {
    const rows = await database.query(`SELECT to_json(t)::text AS row FROM ${table} t`);
    return rows.map((row): unknown => JSON.parse(String(row["row"])));
  };

  beforeAll(async () => {
    database =
      kind === "embedded"
        ? await openEmbedded(temporaryFolder(), { clock: systemClock })
        : await openPostgres((await postgres?.createDatabase()) ?? "");
    await migrate(database);
    const stateDir = temporaryFolder();
    const records = [approval, call, admin, hostile].map((one) => encodeRecord(one, labels));
    await writeDeadSpool(stateDir, records);
    const spool = spoolFolder(stateDir, "embedded");
    await takeIn(database, { spool, clock: systemClock, log });
    // A store that has lost its cursors gets everything again.
    await database.query("DELETE FROM mcp_gateway.spool_cursor");
    await takeIn(database, { spool, clock: systemClock, log });
  });
  afterAll(() => database.close());

  test("gives each of a mixed batch its table once, and no decision more", async () => {
    expect(await rowsOf("mcp_gateway.decision_dead_letter")).toEqual([]);
    expect(await listDecisions(database, { limit: 10 })).toHaveLength(1);
    expect(await rowsOf("approval_events")).toEqual([
      {
        decision_id: approval.decisionId,
        recorded_at: expect.stringMatching(/^2026-11-22T13:45:00\.123/),
        tenant: "default",
        approval_id: "a-1",
        event: "approved",
        for_decision_id: approval.forDecisionId,
        server: "crm",
        tool: "refund",
        agent: "support-bot",
        user_id: "alice",
        decided_by: "bob",
        channel: "cli",
        reason: "the customer called",
        args_sha256: "sha256:00",
        expires_at: expect.stringMatching(/^2026-11-22T13:46:00\.123/),
        writer: deadWriter,
        seq: 1,
      },
    ]);
    expect(await rowsOf("admin_actions")).toContainEqual({
      decision_id: admin.decisionId,
      recorded_at: expect.stringMatching(/^2026-11-22T13:45:00\.123/),
      tenant: "default",
      done_by: "carol",
      action: "block",
      subject: "agent support-bot",
      reason: "it loops",
      details: { kind: "agent", id: "support-bot" },
      writer: deadWriter,
      seq: 3,
    });
  });

  test("cleans hostile texts for the columns and keeps the exact record", async () => {
    const rows = await rowsOf("admin_actions");
    expect(rows).toHaveLength(2);
    const subject = "s".repeat(512);
    const cleaned = {
      subject,
      reason: "nul\u{fffd} and \u{fffd}",
      details: { text: "nul\u{fffd}" },
    };
    expect(rows).toContainEqual(expect.objectContaining(cleaned));
    const { record } = Object(await getRecord(database, hostile.decisionId));
    expect(record).toMatchObject({ reason: hostile.reason, details: hostile.details });
  });

  test("finds a note by its id and by the beginning of one, and never as a decision", async () => {
    const prefix = admin.decisionId.slice(0, 30);
    const found = await getRecord(database, prefix);
    expect(found).toMatchObject({ kind: "admin", record: { action: "block", seq: 3 } });
    expect(await getRecord(database, approval.decisionId)).toMatchObject({ kind: "approval" });
    expect(await getRecord(database, call.decisionId)).toMatchObject({ outcome: "pending" });
    expect(await getRecord(database, "last")).toMatchObject({ decision_id: call.decisionId });
    const asked = getDecision(database, admin.decisionId);
    await expect(asked).rejects.toMatchObject({ code: "decision_unknown" });
  });
});
