import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId, systemClock } from "../../../src/config/ambient.ts";
import type { Database } from "../../../src/database/database.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { encodeRecord } from "../../../src/decision/encode-record.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { readCursors } from "../../../src/decision/store/cursors.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { openStore } from "../../../src/decision/store/open-store.ts";
import { getDecision, listDecisions } from "../../../src/decision/store/query-decisions.ts";
import { takeIn } from "../../../src/decision/store/take-in.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { faultyFiles } from "../faulty-files.ts";
import type { Faults } from "../faulty-files.ts";
import { broken, hostile } from "../hostile-records.ts";
import { deadWriter, writeDeadSpool } from "../dead-spool.ts";
import { admission, allowed, logOptions, outcome } from "../support.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { createTestLog } from "../../support/log.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

const kinds = postgres === undefined ? ["embedded"] : ["embedded", "postgres"];
const labels = { id: "writer", version: "0" };
const hourMs = 60 * 60_000;

/** Ids of the story below, in the order of time. */
const denied = admission({ timeMs: Date.now() - 3 * hourMs, decisionId: idAt(3 * hourMs) });
const lost = allowed({ timeMs: Date.now() - 2 * hourMs, decisionId: idAt(2 * hourMs) });
const completed = allowed({
  timeMs: Date.now() - hourMs,
  decisionId: idAt(hourMs),
  server: "mail",
  tool: "send_email",
  exposedName: "mail__send_email",
  agent: "mailer",
});
const running = allowed({ decisionId: idAt(0) });

function idAt(agoMs: number): string {
  const digits = (Date.now() - agoMs).toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}${newId().slice(13)}`;
}

describe.each(kinds)("the %s store", { timeout: 90_000 }, (kind) => {
  let database: Database;
  let stateDir = "";
  const log = createTestLog();

  beforeAll(async () => {
    stateDir = temporaryFolder();
    const settled = outcome(completed.decisionId);
    const story = [denied, lost, completed, settled, running];
    await writeDeadSpool(stateDir, [
      ...hostile.slice(0, 2).map((record) => encodeRecord(record, labels)),
      ...broken,
      ...hostile.slice(2).map((record) => encodeRecord(record, labels)),
      ...story.map((record) => encodeRecord(record, labels)),
    ]);
    if (kind === "embedded") {
      database = await openStore({ ...logOptions(stateDir), log });
    } else {
      database = await openMigrated((await postgres?.createDatabase()) ?? "");
      await takeIn(database, { spool: spoolFolder(stateDir, "embedded"), clock: systemClock, log });
    }
  });
  afterAll(() => database.close());

  const ids = async (filter: object): Promise<readonly string[]> => {
    const found = await listDecisions(database, { limit: 100, ...filter });
    return found.map(({ decision_id }) => decision_id);
  };
  const story = [running, completed, lost, denied].map(({ decisionId }) => decisionId);

  test("lists decisions newest first", async () => {
    const found = await ids({});
    expect(found.filter((id) => story.includes(id))).toEqual(story);
    expect(found).toEqual(found.toSorted().toReversed());
    expect(await ids({ limit: 2 })).toEqual(found.slice(0, 2));
  });

  test("gives every column of a decision and its outcome", async () => {
    const [found] = await listDecisions(database, { limit: 1, agent: "mailer" });
    expect(found).toEqual({
      decision_id: completed.decisionId,
      time: new Date(completed.timeMs).toISOString(),
      tenant: "default",
      agent: "mailer",
      user: "alice",
      server: "mail",
      tool: "send_email",
      exposed_name: "mail__send_email",
      action_type: "tool_call",
      effect: "allow",
      enforced: true,
      reasons: [],
      matched_rules: ["compliance.user_data_access"],
      remediation: null,
      outcome: "completed",
      latency_ms: 12.5,
      policy_ms: 1.25,
      policy_version: "1.4.7",
      bundles: { crm: { revision: "1.4.7", digest: "sha256:aa" } },
      args_sha256: "sha256:00",
      posture: "strict",
    });
  });

  test("says what became of a call of which no outcome is recorded", async () => {
    const found = await listDecisions(database, { limit: 100 });
    const outcomeOf = (id: string): unknown =>
      found.find(({ decision_id }) => decision_id === id)?.outcome;
    expect(outcomeOf(denied.decisionId)).toBe("not_forwarded");
    expect(outcomeOf(running.decisionId)).toBe("pending");
    expect(outcomeOf(lost.decisionId)).toBe("unknown");
  });

  test("filters by server, tool, exposed name, agent, outcome, effect and time", async () => {
    expect(await ids({ server: "mail" })).toEqual([completed.decisionId]);
    expect(await ids({ tool: "send_email" })).toEqual([completed.decisionId]);
    expect(await ids({ tool: "mail__send_email" })).toEqual([completed.decisionId]);
    expect(await ids({ agent: "mailer" })).toEqual([completed.decisionId]);
    expect(await ids({ outcome: "unknown" })).toEqual([lost.decisionId]);
    expect(await ids({ effect: "allow" })).toEqual(story.slice(0, 3));
    expect(await ids({ sinceMs: lost.timeMs, effect: "allow" })).toEqual(story.slice(0, 3));
    expect(await ids({ sinceMs: lost.timeMs + 1, effect: "allow" })).toEqual(story.slice(0, 2));
    expect(await ids({ effect: "hold" })).toEqual([]);
  });

  test("gets a whole decision by id, by the beginning of its id and as the last one", async () => {
    const whole = await getDecision(database, completed.decisionId);
    expect(whole).toMatchObject({ decision_id: completed.decisionId, outcome: "completed" });
    expect(whole.admission).toMatchObject({ input: JSON.parse(completed.inputJson) });
    expect(whole.outcome_record).toMatchObject({ kind: "outcome", result_bytes: 42 });
    const prefix = completed.decisionId.slice(0, 24);
    expect((await getDecision(database, prefix)).decision_id).toBe(completed.decisionId);
    expect((await getDecision(database, "last")).decision_id).toBe((await ids({ limit: 1 }))[0]);
  });

  test("refuses an id that is unknown, ambiguous or none", async () => {
    const unknown = getDecision(database, newId());
    await expect(unknown).rejects.toMatchObject({ code: "decision_unknown" });
    const ambiguous = getDecision(database, completed.decisionId.slice(0, 4));
    await expect(ambiguous).rejects.toMatchObject({ code: "decision_ambiguous" });
    for (const text of ["xyz", "%", "last'", "0000-00000-0"]) {
      const code = text === "0000-00000-0" ? "decision_unknown" : "invalid_filter";
      await expect(getDecision(database, text)).rejects.toMatchObject({ code });
    }
  });

  test("keeps the exact text of records that jsonb or text would refuse", async () => {
    const rows = await database.query(
      "SELECT encode(record, 'escape') AS text, document IS NULL AS refused FROM mcp_gateway.decision_payload WHERE decision_id = ANY($1::uuid[]) ORDER BY decision_id",
      [hostile.map(({ decisionId }) => decisionId)],
    );
    expect(rows).toHaveLength(hostile.length);
    expect(String(rows[0]?.["text"])).toContain("a\\\\u0000b");
    expect(rows.map((row) => row["refused"])).toEqual([true, true, true, true, true]);
  });

  test("cleans a hostile name for the header and keeps it exact in the record", async () => {
    const id = hostile[4]?.decisionId ?? "";
    const [found] = (await listDecisions(database, { limit: 100 })).filter(
      ({ decision_id }) => decision_id === id,
    );
    expect(found).toMatchObject({ tool: "nul\u{fffd} and \u{fffd}", agent: "\u{fffd}" });
    expect(found?.server).toHaveLength(512);
    expect(await getDecision(database, id)).toMatchObject({
      admission: { tool: "nul\0 and \ud800", server: "s".repeat(10_000) },
    });
  });

  test("sets bad records aside as dead letters, exactly as they were", async () => {
    const rows = await database.query(
      "SELECT code, convert_from(record, 'UTF8') AS record FROM mcp_gateway.decision_dead_letter ORDER BY frame_offset",
    );
    expect(rows.map((row) => row["code"])).toEqual([
      "not_a_record",
      "not_a_record",
      "22007",
      "22P02",
    ]);
    rows.forEach((row, index) => {
      expect(String(row["record"])).toContain(broken[index]?.slice(1));
    });
    const buried = log.lines.filter(({ message }) => message.includes("dead letter"));
    expect(buried).toHaveLength(4);
  });

  test("puts each day into a partition of its own and leaves the default empty", async () => {
    const rows = await database.query(
      "SELECT DISTINCT tableoid::regclass::text AS name FROM mcp_gateway.decision",
    );
    const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const names = rows.map((row) => row["name"]);
    expect(names).toContain(`mcp_gateway.decision_${day}`);
    expect(names).not.toContain("mcp_gateway.decision_default");
  });

  test("remembers how far each spool was taken in", async () => {
    const path = join(spoolFolder(stateDir, "embedded"), deadWriter, "00000001.seg");
    const { size } = await stat(path);
    const cursors = await readCursors(database);
    expect(cursors.get(deadWriter)).toEqual({ segment: 1, offset: size });
  });

  test("changes nothing when the same spool is taken in from its beginning", async () => {
    const count = "SELECT count(*)::int AS count FROM mcp_gateway.";
    const counts = async (): Promise<readonly unknown[]> => [
      (await database.query(`${count}decision`))[0],
      (await database.query(`${count}decision_payload`))[0],
      (await database.query(`${count}decision_dead_letter`))[0],
    ];
    const before = await counts();
    await database.query("DELETE FROM mcp_gateway.spool_cursor");
    await takeIn(database, {
      spool: spoolFolder(stateDir, "embedded"),
      clock: systemClock,
      log: createTestLog(),
    });
    expect(await counts()).toEqual(before);
  });

  test("takes in what a living writer has committed, and more of it later", async () => {
    const decisions = await createDecisionLog(logOptions(stateDir));
    const take = (): Promise<void> =>
      takeIn(database, { spool: spoolFolder(stateDir, "embedded"), clock: systemClock, log });
    const first = allowed({ agent: "alive" });
    await decisions.admit(first);
    await take();
    expect(await ids({ agent: "alive" })).toEqual([first.decisionId]);
    const second = allowed({ agent: "alive" });
    await decisions.admit(second);
    expect(await ids({ agent: "alive" })).toEqual([first.decisionId]);
    await take();
    expect(await ids({ agent: "alive" })).toEqual([second.decisionId, first.decisionId]);
    await decisions.close();
  });

  test("takes in nothing of a living writer that is written and not yet committed", async () => {
    const faults: Faults = {};
    const base = logOptions(stateDir);
    const decisions = await createDecisionLog({ ...base, files: faultyFiles(faults) });
    await decisions.admit(allowed({ agent: "careful" }));
    let release = (): void => undefined;
    const written = new Promise<void>((reached) => {
      faults.sync = () => {
        reached();
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      };
    });
    const waiting = decisions.admit(allowed({ agent: "careful" }));
    await written;
    await takeIn(database, { spool: spoolFolder(stateDir, "embedded"), clock: systemClock, log });
    expect(await ids({ agent: "careful" })).toHaveLength(1);
    delete faults.sync;
    release();
    await waiting;
    await takeIn(database, { spool: spoolFolder(stateDir, "embedded"), clock: systemClock, log });
    expect(await ids({ agent: "careful" })).toHaveLength(2);
    await decisions.close();
  });
});
