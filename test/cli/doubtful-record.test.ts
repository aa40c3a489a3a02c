/**
 * Commands on a record of which not all is there or true: an index made anew after it was pruned,
 * checkpoints that are gone, a record that somebody else wrote.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/decision/store/open-store.ts";
import { writeCalls } from "../decision/retention/old-records.ts";
import { logOptions } from "../decision/support.ts";
import type { CliOutcome } from "../support/cli-run.ts";
import { runCli } from "../support/cli-run.ts";
import { giveEmbeddedDatabase } from "../support/embedded-database.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Place {
  readonly stateDir: string;
  /** Of calls of sixty and forty days ago and of one of today, in one segment. */
  readonly ids: readonly string[];
  readonly cli: (...args: readonly string[]) => Promise<CliOutcome>;
}

async function open(): Promise<Place> {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  await mkdir(stateDir, { mode: 0o700 });
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {} };
  await writeFile(join(folder, "c.json"), JSON.stringify(config), { mode: 0o600 });
  await giveEmbeddedDatabase(stateDir);
  const ids = await writeCalls(stateDir, [{ daysAgo: 60 }, { daysAgo: 40 }, { daysAgo: 0 }]);
  const env = { HOME: folder, MCP_GATEWAY_STATE: stateDir };
  return { stateDir, ids, cli: (...args) => runCli([...args, "-c", "c.json"], folder, env) };
}

describe("db rebuild", { timeout: 120_000 }, () => {
  test("brings nothing back that was pruned, and keeps what was not", async () => {
    const { stateDir, ids, cli } = await open();
    const [gone, bare, whole] = ids;
    const wish = ["--header-older-than", "50d", "--payload-older-than", "30d"];
    expect(await cli("db", "prune", ...wish)).toMatchObject({ exitCode: 0 });
    expect((await cli("db", "rebuild")).out).toMatch(/^2 decisions; /);
    const store = await openStore(logOptions(stateDir));
    onTestFinished(() => store.close());
    const rows = await store.query(
      `SELECT d.decision_id::text AS id, p.record IS NULL AS is_bare
       FROM mcp_gateway.decision d LEFT JOIN mcp_gateway.decision_payload p USING (decision_id, kind)
       WHERE d.kind = 'admission' ORDER BY d.decision_id`,
    );
    expect(rows).toEqual([
      { id: bare, is_bare: true },
      { id: whole, is_bare: false },
    ]);
    expect(rows.map(({ id }) => id)).not.toContain(gone);
  });
});

describe("audit verify", { timeout: 120_000 }, () => {
  test("refuses a folder of checkpoints that is not there", async () => {
    const { cli } = await open();
    const away = await cli("audit", "verify", "--checkpoints", "away");
    expect(away).toMatchObject({ exitCode: 2 });
    expect(away.err).toContain("--checkpoints away: expected a folder, found none");
    expect(await cli("audit", "verify", "--checkpoints", "state/checkpoints")).toMatchObject({
      exitCode: 0,
    });
  });

  test("says that nothing vouches for a record without checkpoints", async () => {
    const { stateDir, cli } = await open();
    expect((await cli("audit", "verify")).err).toContain("passes through its checkpoints");
    await rm(join(stateDir, "checkpoints"), { recursive: true });
    const alone = await cli("audit", "verify");
    expect(alone.err).toContain("no checkpoint is there, and nothing vouches for what was found");
    expect(alone.err).not.toContain("passes through");
  });
});

test("decision get --as-test makes none of what somebody put into the place of a record", async () => {
  const { stateDir, ids, cli } = await open();
  const store = await openStore(logOptions(stateDir));
  await store.query(
    `UPDATE mcp_gateway.decision_payload SET document = NULL, record = convert_to(replace(
       convert_from(record, 'UTF8'), '"decision_id":"', '"decision_id":"x if {} test_y'), 'UTF8')`,
  );
  await store.close();
  const got = await cli("decision", "get", ids[0] ?? "", "--as-test");
  expect(got).toMatchObject({ exitCode: 2, out: "" });
  expect(got.err).toContain("found that its record is not whole");
}, 120_000);

test.each(["no JSON at all", "[1]", '"text"', '{"decision_id":"torn'])(
  "decision get says that a record is not whole where %j is in its place",
  async (forged) => {
    const { stateDir, ids, cli } = await open();
    const store = await openStore(logOptions(stateDir));
    await store.query(
      "UPDATE mcp_gateway.decision_payload SET document = NULL, record = convert_to($1, 'UTF8') WHERE kind = 'outcome'",
      [forged],
    );
    await store.close();
    for (const command of ["get", "explain"]) {
      const got = await cli("decision", command, ids[0] ?? "");
      expect(got).toMatchObject({ exitCode: 8, out: "" });
      expect(got.err).toContain(`expected the record of ${ids[0]} as it was written`);
      expect(got.err).toContain("audit verify");
      expect(got.err).not.toContain("torn");
    }
  },
  120_000,
);

test.each([
  "no JSON at all",
  "[1]",
  '{"kind":"admin","torn":1}',
  '{"kind":"admin","decision_id":"x","timestamp":"torn"}',
  '{"kind":"admin","decision_id":"x","timestamp":"2026-01-01T00:00:00Z","by":{"torn":1}}',
])(
  "decision list says that a note is not whole where %j is in its place",
  async (forged) => {
    const { cli } = await openWithNote(forged);
    for (const output of ["table", "json"]) {
      const got = await cli("decision", "list", "--kind", "admin", "-o", output);
      expect(got).toMatchObject({ exitCode: 8, out: "" });
      expect(got.err).toContain(`expected the record of ${noteId} as it was written`);
      expect(got.err).toContain("[record_not_whole]");
      expect(got.err).not.toContain("torn");
    }
  },
  120_000,
);

test("decision list shows a note that is whole", async () => {
  const whole = { kind: "admin", decision_id: noteId, timestamp: "2026-01-01T00:00:00Z" };
  const { cli } = await openWithNote(JSON.stringify({ ...whole, by: "olga", action: "block" }));
  const got = await cli("decision", "list", "--kind", "admin");
  expect(got).toMatchObject({ exitCode: 0 });
  expect(got.out).toContain("olga");
}, 120_000);

const noteId = "01a20000-0000-7000-8000-000000000001";

async function openWithNote(record: string): Promise<Place> {
  const place = await open();
  const store = await openStore(logOptions(place.stateDir));
  await store.query(
    `INSERT INTO mcp_gateway.admin_action (decision_id, recorded_at, writer, seq, record)
     VALUES ($1::uuid, now(), 'w', 1, convert_to($2, 'UTF8'))`,
    [noteId, record],
  );
  await store.close();
  return place;
}
