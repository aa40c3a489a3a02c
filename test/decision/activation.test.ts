import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../src/config/ambient.ts";
import type { ActivationRecord } from "../../src/contract/record.ts";
import { isRecord } from "../../src/contract/json.ts";
import type { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { readMigrations } from "../../src/database/migration-files.ts";
import { openEmbedded } from "../../src/database/pglite.ts";
import { openPostgres } from "../../src/database/postgres.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { encodeRecord } from "../../src/decision/encode-record.ts";
import { segmentHeaderBytes } from "../../src/decision/spool/frame.ts";
import { spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { readCursors } from "../../src/decision/store/cursors.ts";
import { openMigrated } from "../../src/database/open-migrated.ts";
import { listDecisions } from "../../src/decision/store/query-decisions.ts";
import { takeIn } from "../../src/decision/store/take-in.ts";
import { createTestLog } from "../support/log.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { deadWriter, writeDeadSpool } from "./dead-spool.ts";
import { faultyFiles, systemError } from "./faulty-files.ts";
import { allowed, logOptions, outcome, readSpool } from "./support.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];
const labels = { id: "writer", version: "0" };
const digest = `sha256:${"a".repeat(64)}` as const;

function activation(changes: Partial<ActivationRecord> = {}): ActivationRecord {
  return {
    kind: "activation",
    decisionId: newId(),
    timeMs: Date.UTC(2026, 10, 22, 13, 45, 0, 123),
    tenant: "default",
    layer: "crm",
    layerKind: "server",
    reference: "oci://registry.example/policies/crm:1",
    event: "held",
    digest,
    previous: undefined,
    revision: "1.4.7",
    by: "alice as root",
    why: "the new one denies refunds",
    code: null,
    signers: ["release"],
    ...changes,
  };
}

function brokenDisk() {
  return faultyFiles({
    sync: () => {
      throw systemError("EIO");
    },
  });
}

test("an activation is written with the words of the contract, and null for what is not there", () => {
  const record = activation();
  const json: unknown = JSON.parse(encodeRecord(record, labels).text);
  expect(json).toEqual({
    kind: "activation",
    decision_id: record.decisionId,
    timestamp: "2026-11-22T13:45:00.123000000Z",
    labels,
    tenant: "default",
    layer: "crm",
    layer_kind: "server",
    reference: "oci://registry.example/policies/crm:1",
    event: "held",
    digest,
    previous_digest: null,
    revision: "1.4.7",
    by: "alice as root",
    why: "the new one denies refunds",
    code: null,
    signers: ["release"],
  });
});

describe("noting an activation", () => {
  test.each(["sync", "async"] as const)(
    "resolves once it is on the disk, with %s durability",
    async (durability) => {
      const stateDir = temporaryFolder();
      const decisions = await createDecisionLog({ ...logOptions(stateDir), durability });
      await decisions.note(activation());
      expect(decisions.status().committedRecords).toBe(1);
      expect(await readSpool(stateDir)).toEqual([expect.stringContaining('"event":"held"')]);
      await decisions.close();
    },
  );

  test("rejects where it cannot be made durable, and shuts down where that is wanted", async () => {
    const base = { ...logOptions(temporaryFolder()), files: brokenDisk() };
    const failing = await createDecisionLog(base);
    await expect(failing.note(activation())).rejects.toMatchObject({ code: "audit_unavailable" });
    await failing.close();

    const reasons: string[] = [];
    const onShutdown = ({ code }: { readonly code: string }) => void reasons.push(code);
    const files = brokenDisk();
    const ending = await createDecisionLog({ ...base, files, onFailure: "shutdown", onShutdown });
    await expect(ending.note(activation())).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(reasons).toEqual(["audit_unavailable"]);
    await ending.close();
  });

  test("goes on with `continue`, and says so", async () => {
    const log = createTestLog();
    const base = { ...logOptions(temporaryFolder()), files: brokenDisk(), log };
    const decisions = await createDecisionLog({ ...base, onFailure: "continue" });
    await decisions.note(activation());
    const errors = log.lines.filter(({ message }) => message === "decision could not be recorded");
    expect(errors).toHaveLength(1);
    await decisions.close();
  });
});

describe.each(kinds)("the %s store", { timeout: 90_000 }, (kind) => {
  let database: Database;
  let migrated: readonly string[] = [];
  let reached: number | undefined;
  const log = createTestLog();
  const open = async (): Promise<Database> =>
    kind === "embedded"
      ? await openEmbedded(temporaryFolder(), { clock: systemClock })
      : await openPostgres((await postgres?.createDatabase()) ?? "");
  const rowsOf = async (table: string): Promise<readonly unknown[]> => {
    const rows = await database.query(`SELECT to_json(t)::text AS row FROM ${table} t`);
    return rows.map((row): unknown => JSON.parse(String(row["row"])));
  };
  const call = allowed();
  const held = activation();
  const hostile = activation({
    why: "nul\0 and \ud800",
    layer: "l".repeat(10_000),
    event: "resumed",
  });

  beforeAll(async () => {
    database = await open();
    // A database as the version before left it, with a decision in it.
    const [first] = await readMigrations();
    await migrate(database, first === undefined ? [] : [first]);
    await database.query(
      "INSERT INTO mcp_gateway.decision (decision_id, kind, recorded_at, writer, seq, effect) VALUES ($1::uuid, 'admission', now(), 'before', 1, 'allow')",
      [newId()],
    );
    migrated = await migrate(database);

    const stateDir = temporaryFolder();
    await writeDeadSpool(stateDir, [
      encodeRecord(call, labels),
      encodeRecord(held, labels),
      `{"kind":"vote","decision_id":"${newId()}","timestamp":"2026-11-22T00:00:00Z"}`,
      encodeRecord(hostile, labels),
      encodeRecord(outcome(call.decisionId), labels),
    ]);
    const spool = spoolFolder(stateDir, "embedded");
    await takeIn(database, { spool, clock: systemClock, log });
    // A store that has lost its cursors gets everything again.
    reached = (await readCursors(database)).get(deadWriter)?.offset;
    await database.query("DELETE FROM mcp_gateway.spool_cursor");
    await takeIn(database, { spool, clock: systemClock, log });
  });
  afterAll(() => database.close());

  test("of the version before is migrated, and its cursor moves with the rows", () => {
    expect(migrated[0]).toBe("0002-activations");
    expect(reached).toBeGreaterThan(segmentHeaderBytes);
  });

  test("keeps the decisions that it had, and gives each record of a mixed batch its table once", async () => {
    const found = await listDecisions(database, { limit: 10 });
    expect(found).toHaveLength(2);
    expect(found.find(({ decision_id }) => decision_id === call.decisionId)).toMatchObject({
      outcome: "completed",
    });
    const rows = await rowsOf("activations");
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({
      decision_id: held.decisionId,
      changed_at: expect.stringMatching(/^2026-11-22T13:45:00\.123/),
      tenant: "default",
      layer: "crm",
      layer_kind: "server",
      reference: "oci://registry.example/policies/crm:1",
      event: "held",
      digest,
      previous_digest: null,
      revision: "1.4.7",
      changed_by: "alice as root",
      why: "the new one denies refunds",
      code: null,
      signers: ["release"],
      writer: deadWriter,
      seq: 2,
    });
    expect(await rowsOf("mcp_gateway.decision_payload")).toHaveLength(2);
  });

  test("cleans hostile texts for the columns and keeps the exact record", async () => {
    const rows = (await rowsOf("activations")).filter(isRecord);
    const row = rows.find(({ decision_id }) => decision_id === hostile.decisionId);
    expect(row).toMatchObject({ why: "nul\u{fffd} and \u{fffd}", layer: "l".repeat(512) });
    const [exact] = await database.query(
      "SELECT convert_from(record, 'UTF8') AS record FROM mcp_gateway.activation WHERE decision_id = $1::uuid",
      [hostile.decisionId],
    );
    const record: unknown = JSON.parse(String(exact?.["record"]));
    expect(record).toMatchObject({ why: hostile.why, layer: hostile.layer, seq: 4 });
  });

  test("sets a kind that it does not know aside, and ships what is behind it", async () => {
    const letters = await rowsOf("mcp_gateway.decision_dead_letter");
    expect(letters).toEqual([expect.objectContaining({ code: "not_a_record" })]);
  });
});

describe.runIf(postgres !== undefined)("postgres that was away", () => {
  test("gets an activation that a command noted meanwhile from the next gateway", async () => {
    const stateDir = temporaryFolder();
    const url = (await postgres?.createDatabase()) ?? "";
    const away = "postgres://nobody@127.0.0.1:1/none";
    const options = logOptions(stateDir);
    const command = await createDecisionLog({ ...options, store: { kind: "postgres", url: away } });
    await command.note(activation());
    await command.close();
    const gateway = await createDecisionLog({ ...options, store: { kind: "postgres", url } });
    const database = await openMigrated(url);
    try {
      const names = async (): Promise<readonly unknown[]> =>
        (await database.query("SELECT changed_by FROM activations")).map(
          (row) => row["changed_by"],
        );
      await expect.poll(names, { timeout: 30_000 }).toEqual(["alice as root"]);
    } finally {
      await database.close();
      await gateway.close();
    }
  }, 60_000);
});
