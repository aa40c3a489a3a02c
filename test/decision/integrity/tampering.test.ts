import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/config/ambient.ts";
import type { Database } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { checkpointKey } from "../../../src/decision/integrity/checkpoint-key.ts";
import type { Tampering } from "../../../src/decision/integrity/chain-check.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { storeChains, verifyRecord } from "../../../src/decision/verify-record.ts";
import type { Verification } from "../../../src/decision/verify-record.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { logOptions } from "../support.ts";
import { recordsUpTo, storedTexts, withAnother } from "./rewritten-records.ts";
import { checkpoints, writeRecord } from "./thirteen-records.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];

describe.each(kinds)("the %s store, where", { timeout: 90_000 }, (kind) => {
  let stateDir = "";
  let folder = "";
  let key: KeyObject;
  let database: Database;
  let writer = "";

  beforeAll(async () => {
    stateDir = temporaryFolder();
    folder = join(stateDir, "checkpoints");
    await writeRecord(stateDir);
    key = createPublicKey(await checkpointKey(stateDir, checkpoints));
    if (kind === "embedded") {
      database = await openStore({ ...logOptions(stateDir), log: createTestLog() });
    } else {
      database = await openMigrated((await postgres?.createDatabase()) ?? "");
      const spool = spoolFolder(stateDir, "embedded");
      await takeIn(database, { spool, clock: systemClock, log: createTestLog() });
    }
    [writer = ""] = await storeChains(database).writers();
    await database.script(keepCopies);
  });
  afterAll(() => database.close());
  beforeEach(() => database.script(restoreCopies));

  const verify = (): Promise<Verification> => verifyRecord(storeChains(database), folder, key);
  const first = async (): Promise<Tampering | undefined> => (await verify()).problems[0];
  const documents = async (): Promise<{ readonly rows: number }> => {
    const sql = "SELECT count(*)::int AS rows FROM mcp_gateway.decision_payload";
    return { rows: Number((await database.query(sql))[0]?.["rows"]) };
  };
  const change = (sql: string): Promise<unknown> => database.query(sql);

  test("nothing was touched, every chain is whole", async () => {
    expect(await verify()).toEqual({
      writers: 1,
      records: 13,
      checkpoints: 1,
      uncovered: 0,
      dead_letters: 0,
      undocumented: 0,
      pruned: 0,
      unvouched: [],
      open_ended: [],
      problems: [],
    });
  });

  test("payloads were pruned, every chain is whole", async () => {
    await change("DELETE FROM mcp_gateway.decision_payload");
    expect((await verify()).problems).toEqual([]);
  });

  test.each([
    ["a column", "UPDATE mcp_gateway.decision SET agent = 'nobody' WHERE seq = 5", "edited", 5],
    [
      "a column of a pruned record",
      "UPDATE mcp_gateway.decision SET reasons = '{fine}' WHERE seq = 5",
      "edited",
      5,
    ],
    [
      "the bundles of a pruned record",
      `UPDATE mcp_gateway.decision SET bundles = '{}' WHERE seq = 5`,
      "edited",
      5,
    ],
    [
      "the time of a record",
      "UPDATE mcp_gateway.decision SET recorded_at = recorded_at - interval '1 day' WHERE seq = 5",
      "edited",
      5,
    ],
    [
      "an outcome",
      "UPDATE mcp_gateway.decision SET outcome = 'cancelled' WHERE seq = 6",
      "edited",
      6,
    ],
    [
      "what an operator did",
      "UPDATE mcp_gateway.admin_action SET done_by = 'pia' WHERE seq = 13",
      "edited",
      13,
    ],
    [
      "the digest beside a pruned record",
      "UPDATE mcp_gateway.decision SET record_sha256 = decode(repeat('00', 32), 'hex') WHERE seq = 5",
      "edited",
      5,
    ],
    [
      "a link, with the one behind it",
      `UPDATE mcp_gateway.decision SET link = decode(repeat('00', 32), 'hex') WHERE seq = 5;
       UPDATE mcp_gateway.decision SET previous_link = decode(repeat('00', 32), 'hex') WHERE seq = 6`,
      "edited",
      5,
    ],
    ["a record was put before the first place", copyTo("0"), "edited", 0],
    ["a record was put far before the first place", copyTo("-9223372036854775808"), "edited", 0],
    ["a record was put behind exact numbers", copyTo("9007199254740993"), "edited", 0],
    [
      "a record was put at the last place of the column",
      copyTo("9223372036854775807"),
      "edited",
      0,
    ],
    [
      "a time is none",
      "UPDATE mcp_gateway.decision SET recorded_at = 'infinity' WHERE seq = 5",
      "edited",
      5,
    ],
    [
      "the bundles of a record nest without end",
      `UPDATE mcp_gateway.decision
       SET bundles = (repeat('{"a":', 5000) || '1' || repeat('}', 5000))::jsonb WHERE seq = 5`,
      "edited",
      5,
    ],
    ["one record is gone", "DELETE FROM mcp_gateway.decision WHERE seq = 4", "missing", 4],
    [
      "several are gone",
      "DELETE FROM mcp_gateway.decision WHERE seq BETWEEN 4 AND 9",
      "missing",
      4,
    ],
    ["the first ones are gone", "DELETE FROM mcp_gateway.decision WHERE seq < 3", "missing", 1],
    ["the last one is gone", "DELETE FROM mcp_gateway.admin_action", "truncated", 13],
    [
      "the end is gone",
      "DELETE FROM mcp_gateway.admin_action; DELETE FROM mcp_gateway.decision WHERE seq > 8",
      "truncated",
      9,
    ],
    [
      "an old backup was restored",
      "DELETE FROM mcp_gateway.admin_action; DELETE FROM mcp_gateway.decision WHERE seq > 2",
      "truncated",
      3,
    ],
    [
      "everything is gone",
      "DELETE FROM mcp_gateway.admin_action; DELETE FROM mcp_gateway.decision",
      "truncated",
      1,
    ],
    [
      "two records changed places",
      "UPDATE mcp_gateway.decision SET seq = CASE seq WHEN 5 THEN 7 ELSE 5 END WHERE seq IN (5, 7)",
      "edited",
      5,
    ],
    [
      "one was put beside another",
      "UPDATE mcp_gateway.decision SET seq = 6 WHERE seq = 7",
      "duplicate",
      6,
    ],
    [
      "one was put behind the end",
      `INSERT INTO mcp_gateway.admin_action (decision_id, recorded_at, writer, seq, record)
       SELECT gen_random_uuid(), now(), writer, 14, record FROM mcp_gateway.admin_action`,
      "edited",
      14,
    ],
  ])("%s is found at its place", async (what, sql, found, seq) => {
    if (what.includes("pruned") || what.includes("link")) {
      await change("DELETE FROM mcp_gateway.decision_payload");
    }
    for (const statement of sql.split(";")) await change(statement);
    const { problems } = await verify();
    const earliest = problems.toSorted((left, right) => left.seq - right.seq)[0];
    expect(problems.map((problem) => problem.kind)).toContain(found);
    expect(earliest).toMatchObject({ writer, seq });
  });

  test("the record itself was changed, that is found", async () => {
    await change(
      `UPDATE mcp_gateway.decision_payload p
       SET record = convert_to(replace(convert_from(record, 'UTF8'), 'agent-2', 'agent-9'), 'UTF8')
       FROM mcp_gateway.decision d
       WHERE d.decision_id = p.decision_id AND d.kind = p.kind AND d.seq = 5`,
    );
    expect(await first()).toMatchObject({ kind: "edited", seq: 5 });
  });

  test("one was written anew with links that fit, the next one does not follow it", async () => {
    const texts = await recordsUpTo(database, 12);
    const chains = { writers: async () => [writer], chain: () => withAnother(texts, writer, 5) };
    expect((await verifyRecord(chains, folder, key)).problems).toMatchObject([
      { kind: "out_of_chain", seq: 6 },
      { kind: "truncated", seq: 13 },
    ]);
  });

  test("one could not be inserted and lies aside, the chain is whole", async () => {
    await change(
      `INSERT INTO mcp_gateway.decision_dead_letter (writer, segment, frame_offset, code, message, record)
       SELECT d.writer, 9, 9, 'not_a_record', 'm', p.record FROM mcp_gateway.decision d
       JOIN mcp_gateway.decision_payload p USING (decision_id, kind) WHERE d.seq = 5`,
    );
    onTestFinished(async () => void (await change("DELETE FROM mcp_gateway.decision_dead_letter")));
    await change("DELETE FROM mcp_gateway.decision WHERE seq = 5");
    expect(await verify()).toMatchObject({ records: 13, problems: [] });
    await change("UPDATE mcp_gateway.decision_dead_letter SET record = record || ' '");
    expect(await first()).toMatchObject({ kind: "edited", seq: 5 });
  });

  test("what the views show of a record was changed, that is found", async () => {
    await change(
      `UPDATE mcp_gateway.decision_payload p SET document = '{"input": {}}'
       FROM mcp_gateway.decision d
       WHERE d.decision_id = p.decision_id AND d.kind = p.kind AND d.seq = 5`,
    );
    expect(await first()).toMatchObject({ kind: "edited", seq: 5 });
  });

  test("what views show of a record was removed, that is counted", async () => {
    const { rows } = await documents();
    expect(rows).toBeGreaterThan(1);
    await change(
      `UPDATE mcp_gateway.decision_payload p SET document = NULL FROM mcp_gateway.decision d
       WHERE d.decision_id = p.decision_id AND d.kind = p.kind AND d.seq = 5`,
    );
    expect(await verify()).toMatchObject({ undocumented: 1, problems: [] });
    await change("UPDATE mcp_gateway.decision_payload SET document = NULL");
    expect(await verify()).toMatchObject({ undocumented: rows, problems: [] });
  });

  test("a record was hidden among those that could not be inserted, that is said", async () => {
    await change(
      `INSERT INTO mcp_gateway.decision_dead_letter
         (writer, segment, frame_offset, code, message, record)
       SELECT d.writer, 999, 1, 'x', 'y', p.record FROM mcp_gateway.decision d
       JOIN mcp_gateway.decision_payload p USING (decision_id, kind) WHERE d.seq = 5`,
    );
    await change("DELETE FROM mcp_gateway.decision WHERE seq = 5");
    expect(await verify()).toMatchObject({ dead_letters: 1, problems: [] });
    await change("DELETE FROM mcp_gateway.decision_dead_letter");
  });

  test("the end was written anew with links that fit, the checkpoint is of another history", async () => {
    const rewritten = storedTexts(await recordsUpTo(database, 4), writer);
    const chains = { writers: async () => [writer], chain: () => rewritten };
    expect((await verifyRecord(chains, folder, key)).problems).toMatchObject([
      { kind: "other_history", seq: 13 },
    ]);
  });
});

const tables = ["decision", "decision_payload", "admin_action"];
/** The fifth record once more, at another place. */
function copyTo(place: string): string {
  return `
    CREATE TEMPORARY TABLE forged AS SELECT * FROM mcp_gateway.decision WHERE seq = 5;
    UPDATE forged SET decision_id = gen_random_uuid(), seq = ${place};
    INSERT INTO mcp_gateway.decision SELECT * FROM forged;
    DROP TABLE forged`;
}

const keepCopies = tables
  .map((name) => `CREATE TABLE copy_of_${name} AS SELECT * FROM mcp_gateway.${name};`)
  .join("\n");
const restoreCopies = tables
  .map(
    (name) =>
      `DELETE FROM mcp_gateway.${name}; INSERT INTO mcp_gateway.${name} SELECT * FROM copy_of_${name};`,
  )
  .join("\n");
