import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { openMigrated } from "../../src/database/open-migrated.ts";
import { readMigrations } from "../../src/database/migration-files.ts";
import { segmentName } from "../../src/decision/spool/segment.ts";
import { listSegments, listWriters, spoolFolder } from "../../src/decision/spool/writer-folder.ts";
import { writeDeadSpool } from "../decision/dead-spool.ts";
import { dayMs, writeCalls } from "../decision/retention/old-records.ts";
import type { CliOutcome } from "../support/cli-run.ts";
import { runCli } from "../support/cli-run.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

interface Place {
  readonly stateDir: string;
  readonly db: (...args: readonly string[]) => Promise<CliOutcome>;
}

/** A configuration whose gateway has written what `write` writes. */
async function placeWith(decisions: object = {}): Promise<Place> {
  const folder = temporaryFolder();
  const stateDir = join(folder, "state");
  await mkdir(stateDir, { mode: 0o700 });
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, decisions };
  await writeFile(join(folder, "c.json"), JSON.stringify(config), { mode: 0o600 });
  const env = { HOME: folder, MCP_GATEWAY_STATE: stateDir };
  return { stateDir, db: (...args) => runCli([...args, "-c", "c.json"], folder, env) };
}

/** A file is as old as what was written last. */
async function age(stateDir: string): Promise<void> {
  const spool = spoolFolder(stateDir, "embedded");
  for (const writer of await listWriters(spool)) {
    for (const segment of await listSegments(join(spool, writer))) {
      const old = new Date(Date.now() - 50 * dayMs);
      await utimes(join(spool, writer, segmentName(segment)), old, old);
    }
  }
}

const old = [{ daysAgo: 40 }, { daysAgo: 40, agent: "mallory" }, { daysAgo: 0 }];
const small = { limits: { spoolMaxBytes: Number.MAX_SAFE_INTEGER, segmentMaxBytes: 1500 } };

describe("db with the embedded store", { timeout: 120_000 }, () => {
  test("prunes payloads with their segments, keeps headers over a rebuild, and verifies", async () => {
    const { stateDir, db } = await placeWith({ retention: { payload_days: 30, header_days: 300 } });
    const ids = await writeCalls(stateDir, old, small);
    await age(stateDir);
    const dry = await db("db", "prune", "--dry-run");
    expect(dry.out).toMatch(/^4 payloads and 0 headers would go, 0 rows held$/m);
    const pruned = await db("db", "prune");
    expect(pruned.exitCode).toBe(0);
    expect(pruned.out).toMatch(/^4 payloads and 0 headers removed, 0 rows held$/m);
    expect(pruned.out).toMatch(/^[1-9]\d* segments \(\d+ records, \d+ bytes\) removed, 0 held$/m);
    expect((await db("audit", "verify")).exitCode).toBe(0);

    const rebuilt = await db("db", "rebuild", "-o", "json");
    expect(JSON.parse(rebuilt.out)).toMatchObject({ decisions: 3, unread: null });
    expect(Number(JSON.parse(rebuilt.out).carried_over)).toBeGreaterThan(3);
    expect(await readdir(stateDir)).not.toContain("embedded.new");
    const got = await db("decision", "get", ids[0] ?? "", "-o", "json");
    expect(got.err).toMatch(/^note: its payload was pruned at \d{4}-.*, after its retention$/);
    expect(JSON.parse(got.out)).toMatchObject({ outcome: "completed", admission: null });
    const actions = await db("decision", "list", "--kind", "admin", "-o", "json");
    expect(actions.out).toContain('"action": "prune"');
  });

  test("makes a database anew that cannot be opened, and says what is gone", async () => {
    const { stateDir, db } = await placeWith();
    await writeCalls(stateDir, old);
    expect((await db("decision", "list")).exitCode).toBe(0);
    await rm(join(stateDir, "embedded", "global", "pg_control"));
    expect((await db("decision", "list")).err).toContain("[database_unusable]");
    const rebuilt = await db("db", "rebuild");
    expect(rebuilt).toMatchObject({ exitCode: 0 });
    expect(rebuilt.out).toMatch(/^3 decisions; 0 rows/);
    expect(rebuilt.err).toMatch(/^note: the old database could not be read/);
    expect((await db("decision", "list")).exitCode).toBe(0);
  });

  test("holds by agent, records it, prunes around it, and lifts it", async () => {
    const { stateDir, db } = await placeWith();
    await writeCalls(stateDir, old);
    expect(await db("db", "hold", "add", "--agent", "mallory")).toMatchObject({ exitCode: 2 });
    expect(await db("db", "hold", "add", "--why", "a case")).toMatchObject({ exitCode: 2 });
    const half = await db("db", "hold", "add", "--decision", "0190", "--why", "a case");
    expect(half).toMatchObject({ exitCode: 2 });
    const added = await db("db", "hold", "add", "--agent", "mallory", "--why", "a case");
    expect(added.out).toMatch(/^[0-9a-f-]{36} holds agent mallory$/);
    const prune = ["db", "prune", "--header-older-than", "30d"];
    expect((await db(...prune)).out).toMatch(/^2 payloads and 2 headers removed, 2 rows held$/m);
    const list = await db("db", "hold", "list", "-o", "json");
    const [hold] = JSON.parse(list.out).items;
    expect(hold).toMatchObject({ agent: "mallory", why: "a case" });
    const lift = ["db", "hold", "lift", String(hold.hold_id).slice(0, 20)];
    expect(await db(...lift)).toMatchObject({ exitCode: 2 });
    expect(await db(...lift, "--why", "closed")).toMatchObject({ exitCode: 0 });
    expect(await db(...lift, "--why", "closed")).toMatchObject({ exitCode: 1 });
    expect((await db(...prune)).out).toMatch(/^2 payloads and 2 headers removed, 0 rows held$/m);
    const actions = await db("decision", "list", "--kind", "admin", "-o", "json");
    expect(actions.out).toContain('"action": "hold"');
    expect(actions.out).toContain('"action": "lift_hold"');
  });

  test("prunes nothing while the holds cannot be read", async () => {
    const { stateDir, db } = await placeWith();
    await writeCalls(stateDir, old);
    await writeFile(join(stateDir, "holds.json"), "{}");
    const pruned = await db("db", "prune", "--header-older-than", "30d");
    expect(pruned).toMatchObject({ exitCode: 1 });
    expect(pruned.err).toContain("[holds_unusable]");
    expect(JSON.parse((await db("decision", "list", "-o", "json")).out).items).toHaveLength(3);
  });

  test("lists, tries again and drops what the store refused", async () => {
    const { stateDir, db } = await placeWith();
    await writeDeadSpool(stateDir, ['{"kind":"admission","decision_id":"none"}']);
    const list = await db("db", "dead-letters", "list", "-o", "json");
    const [letter] = JSON.parse(list.out).items;
    expect(letter).toMatchObject({ code: "not_a_record" });
    const got = await db("db", "dead-letters", "get", letter.id, "-o", "json");
    expect(JSON.parse(got.out).record).toContain('"decision_id":"none"');
    const retry = ["db", "dead-letters", "retry", "--why", "mended", "-o", "json"];
    const wordless = await db("db", "dead-letters", "retry", "--why", " ");
    expect(wordless).toMatchObject({ exitCode: 2 });
    const retried = await db(...retry);
    expect(retried.exitCode).toBe(1);
    expect(JSON.parse(retried.out).items[0]).toMatchObject({ id: letter.id, inserted: false });
    const drop = ["db", "dead-letters", "drop", letter.id];
    expect(await db(...drop)).toMatchObject({ exitCode: 2 });
    expect(await db(...drop, "--why", "nobody's")).toMatchObject({ exitCode: 0 });
    const gone = await db(...drop, "--why", "nobody's");
    expect(gone.err).toContain("[dead_letter_unknown]");
    const actions = await db("decision", "list", "--kind", "admin", "-o", "json");
    expect(actions.out).toContain('"action": "drop_dead_letter"');
    const recorded = JSON.parse(actions.out).items.filter(isRetry);
    const subject = `dead letter ${letter.id}`;
    const details = { letters: 1, ids: [letter.id] };
    expect(recorded).toMatchObject([{ subject, reason: "mended", details }]);
  });

  test("prunes nothing where nobody says how old, and no config may keep headers shorter", async () => {
    const { db } = await placeWith();
    const pruned = await db("db", "prune");
    expect(pruned).toMatchObject({ exitCode: 2 });
    expect(pruned.err).toContain("everything is kept");
    const odd = await placeWith({ retention: { payload_days: 30, header_days: 10 } });
    const status = await odd.db("db", "status");
    expect(status).toMatchObject({ exitCode: 3 });
    expect(status.err).toContain("header_days to be at least payload_days");
  });
});

describe.skipIf(postgres === undefined)("db with postgres", { timeout: 120_000 }, () => {
  interface Shared extends Place {
    readonly store: { readonly kind: "postgres"; readonly url: string };
    readonly database: () => Promise<Database>;
  }

  async function shared(): Promise<Shared> {
    const url = (await postgres?.createDatabase()) ?? "";
    const database = async (): Promise<Database> => {
      const opened = await openMigrated(url);
      onTestFinished(() => opened.close());
      return opened;
    };
    const store = { kind: "postgres", url } as const;
    return { ...(await placeWith({ store: url })), store, database };
  }

  test("migrates once, also where several begin at once", async () => {
    const { db } = await shared();
    const runs = await Promise.all(Array.from({ length: 4 }, () => db("db", "migrate")));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    const applied = runs.flatMap(({ out }) => out.split("\n")).filter((line) => line !== "");
    expect(applied).toEqual((await readMigrations()).map(({ name }) => name));
    expect((await db("db", "migrate")).err).toBe("the schema is this version's");
  });

  test("says how the store is doing", async () => {
    const { stateDir, db, database, store } = await shared();
    await writeCalls(stateDir, old, { store });
    await database();
    const status = JSON.parse((await db("db", "status", "-o", "json")).out);
    const shipped = status.partitions.filter(({ name }: { name: string }) => /_\d{8}$/.test(name));
    expect(status).toMatchObject({
      store: "postgres",
      dead_letters: 0,
      holds: 0,
      last_pruned: null,
    });
    expect(status.waiting).toEqual({ writers: 0, bytes: 0, oldest: null });
    expect(shipped.length).toBeGreaterThan(3);
    expect((await db("db", "status")).out).toMatch(/^PARTITION +ROWS +BYTES$/m);
  });

  test("prunes headers with a statement, and without one where that is asked for", async () => {
    const { stateDir, db, store } = await shared();
    await writeCalls(stateDir, [{ daysAgo: 50 }, ...old], { store });
    const first = await db("db", "prune", "--header-older-than", "45d");
    expect(first.out).toBe("2 payloads and 2 headers removed, 0 rows held");
    const whole = await db("audit", "verify");
    expect(whole).toMatchObject({ exitCode: 0 });
    expect(whole.err).toContain("2 records pruned");
    await db("db", "prune", "--header-older-than", "30d", "--without-proof");
    expect(await db("audit", "verify")).toMatchObject({ exitCode: 8 });
  });

  test("brings a dead letter into its place in the chain", async () => {
    const { stateDir, db, database, store } = await shared();
    const [id = ""] = await writeCalls(stateDir, old, { store });
    await (await database()).script(buryFirst(id));
    expect((await db("decision", "get", id)).exitCode).toBe(1);
    const retried = await db("db", "dead-letters", "retry");
    expect(retried).toMatchObject({ exitCode: 0 });
    expect((await db("decision", "get", id)).exitCode).toBe(0);
    expect((await db("db", "dead-letters", "list")).err).toBe("no dead letters");
    expect((await db("db", "dead-letters", "retry")).exitCode).toBe(0);
    const actions = await db("decision", "list", "--kind", "admin", "-o", "json");
    expect(JSON.parse(actions.out).items.filter(isRetry)).toHaveLength(1);
    expect(await db("audit", "verify")).toMatchObject({ exitCode: 0 });
  });

  test("a dead letter that was dropped leaves a place that is vouched for", async () => {
    const { stateDir, db, database, store } = await shared();
    const [id = ""] = await writeCalls(stateDir, old, { store });
    await (await database()).script(buryFirst(id));
    const [letter] = JSON.parse((await db("db", "dead-letters", "list", "-o", "json")).out).items;
    await db("db", "dead-letters", "drop", letter.id, "--why", "broken");
    expect(await db("audit", "verify")).toMatchObject({ exitCode: 0 });
  });

  test("refuses to make anew what is the record", async () => {
    const { db } = await shared();
    const refused = await db("db", "rebuild");
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.err).toContain("[rebuild_refused]");
  });
});

function isRetry({ action }: { readonly action: string }): boolean {
  return action === "retry_dead_letters";
}

/** What the store has refused, as it would have kept it. */
function buryFirst(id: string): string {
  return `INSERT INTO mcp_gateway.decision_dead_letter
      (writer, segment, frame_offset, code, message, record)
    SELECT d.writer, 1, 16, '22P02', 'refused', p.record FROM mcp_gateway.decision d
    JOIN mcp_gateway.decision_payload p USING (decision_id, kind)
    WHERE d.decision_id = '${id}' AND d.kind = 'admission';
    DELETE FROM mcp_gateway.decision WHERE decision_id = '${id}' AND kind = 'admission';
    DELETE FROM mcp_gateway.decision_payload WHERE decision_id = '${id}' AND kind = 'admission';`;
}
