import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { once } from "node:events";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import type {
  DecisionLogOptions,
  ObservedDecisionLog,
} from "../../../src/decision/decision-log.ts";
import { spoolFolder } from "../../../src/decision/spool/writer-folder.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { bundleProgram, startProgram } from "../child-program.ts";
import { spoolLimits, admission, allowed, logOptions, outcome, readSpool } from "../support.ts";
import { startTcpProxy } from "../tcp-proxy.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { createTestLog } from "../../support/log.ts";
import { eventually } from "../../support/eventually.ts";
import type { LogLine } from "../../support/log.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

/** Nobody listens on port 1. */
const unreachable = "postgres://nobody@127.0.0.1:1/none";

interface Shipping {
  readonly stateDir: string;
  readonly decisions: ObservedDecisionLog;
  readonly lines: readonly LogLine[];
  readonly options: DecisionLogOptions;
}

async function openLog(url: string, changes: Partial<DecisionLogOptions> = {}): Promise<Shipping> {
  const stateDir = changes.stateDir ?? temporaryFolder();
  const log = createTestLog();
  const store = { kind: "postgres" as const, url };
  const options = { ...logOptions(stateDir), log, ...changes, stateDir, store };
  return { stateDir, lines: log.lines, options, decisions: await createDecisionLog(options) };
}

async function newDatabase(): Promise<{ readonly url: string; readonly database: Database }> {
  const url = (await postgres?.createDatabase()) ?? "";
  const database = await openMigrated(url);
  onTestFinished(() => database.close());
  return { url, database };
}

async function countRows(database: Database): Promise<unknown> {
  const rows = await database.query("SELECT count(*)::int AS count FROM mcp_gateway.decision");
  return rows[0]?.["count"];
}

async function countDeadLetters(database: Database): Promise<unknown> {
  const select = "SELECT count(*)::int AS count FROM mcp_gateway.decision_dead_letter";
  return (await database.query(select))[0]?.["count"];
}

const isShipped =
  ({ decisions }: Shipping) =>
  async (): Promise<boolean> =>
    decisions.status().unshippedBytes === 0;

describe.skipIf(postgres === undefined)("shipping to postgres", { timeout: 90_000 }, () => {
  test("brings every record there and removes the spool at the end", async () => {
    const { url, database } = await newDatabase();
    const { decisions, stateDir } = await openLog(url);
    for (let count = 0; count < 250; count += 1) {
      const record = allowed();
      await decisions.admit(record);
      decisions.settle(outcome(record.decisionId));
    }
    await decisions.close();
    expect(await countRows(database)).toBe(500);
    expect(await readdir(spoolFolder(stateDir, "postgres"))).toEqual([]);
    expect(await database.query("SELECT * FROM mcp_gateway.spool_cursor")).toEqual([]);
  });

  test("removes closed segments while the gateway runs", async () => {
    const { url, database } = await newDatabase();
    const shipping = await openLog(url, { limits: { ...spoolLimits, segmentMaxBytes: 50_000 } });
    const { decisions, stateDir } = shipping;
    for (let count = 0; count < 300; count += 1) await decisions.admit(admission());
    await eventually(isShipped(shipping));
    await eventually(async () => {
      const names = await readdir(
        `${spoolFolder(stateDir, "postgres")}/${decisions.status().writer}`,
      );
      return names.filter((name) => name.endsWith(".seg")).length === 1;
    });
    await decisions.close();
    expect(await countRows(database)).toBe(300);
  });

  test("holds up no call while postgres is away, and then every record arrives once", async () => {
    const { url, database } = await newDatabase();
    const proxy = await startTcpProxy(url);
    const shipping = await openLog(proxy.url);
    const { decisions, lines } = shipping;
    await decisions.admit(admission());
    await eventually(isShipped(shipping));
    proxy.setMode("refuse");
    proxy.cut();
    for (let count = 0; count < 200; count += 1) {
      await decisions.admit(admission());
      if (count % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(decisions.status()).toMatchObject({ committedRecords: 201, failure: undefined });
    await eventually(async () => decisions.status().shipper?.state === "away");
    proxy.setMode("pass");
    await eventually(isShipped(shipping));
    expect(await countRows(database)).toBe(201);
    const messages = lines.map(({ message }) => message);
    expect(messages).toContain("decision store is away, decisions stay in the spool");
    expect(messages).toContain("decision store is back");
    await decisions.close();
    await proxy.close();
  });

  test.skipIf(postgres?.canStop !== true)(
    "survives a postgres that crashes and comes back",
    async () => {
      const { url } = await newDatabase();
      const shipping = await openLog(url);
      const { decisions } = shipping;
      await decisions.admit(admission());
      await eventually(isShipped(shipping));
      await postgres?.stop();
      for (let count = 0; count < 100; count += 1) await decisions.admit(admission());
      await eventually(async () => decisions.status().shipper?.state === "away");
      await postgres?.start();
      await eventually(isShipped(shipping));
      await decisions.close();
      const database = await openMigrated(url);
      expect(await countRows(database)).toBe(101);
      await database.close();
    },
  );

  test("makes no duplicate when a commit's answer is lost", async () => {
    const { url, database } = await newDatabase();
    const proxy = await startTcpProxy(url);
    const shipping = await openLog(proxy.url);
    const { decisions } = shipping;
    await decisions.admit(admission());
    await eventually(isShipped(shipping));
    proxy.setMode("swallow_answers");
    await Promise.all(Array.from({ length: 50 }, () => decisions.admit(admission())));
    await eventually(async () => (await countRows(database)) === 51);
    expect(decisions.status().unshippedBytes).toBeGreaterThan(0);
    proxy.setMode("pass");
    proxy.cut();
    await eventually(isShipped(shipping));
    expect(await countRows(database)).toBe(51);
    expect(await countDeadLetters(database)).toBe(0);
    await decisions.close();
    await proxy.close();
  });

  test("ends while postgres is away and leaves the spool to the next gateway", async () => {
    const { url, database } = await newDatabase();
    const proxy = await startTcpProxy(url);
    proxy.setMode("refuse");
    const away = await openLog(proxy.url);
    for (let count = 0; count < 10; count += 1) await away.decisions.admit(admission());
    const startedMs = performance.now();
    await away.decisions.close();
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    expect(await readSpool(away.stateDir, "postgres")).toHaveLength(10);
    await proxy.close();
    const next = await openLog(url, { stateDir: away.stateDir });
    await eventually(async () => (await countRows(database)) === 10);
    await eventually(
      async () => (await readdir(spoolFolder(away.stateDir, "postgres"))).length === 1,
    );
    await next.decisions.close();
    expect(await readdir(spoolFolder(away.stateDir, "postgres"))).toEqual([]);
  });

  test("takes in what killed processes left, while several gateways run", async () => {
    const { url, database } = await newDatabase();
    const stateDir = temporaryFolder();
    const source = fileURLToPath(new URL("../spool/admitting-program.ts", import.meta.url));
    const program = await bundleProgram(source);
    const children = [1, 2, 3].map(() => startProgram(program, stateDir, unreachable));
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => once(child, "close")));
    const left = (await readSpool(stateDir, "postgres")).length;
    expect(left).toBeGreaterThan(0);
    const gateways = [await openLog(url, { stateDir }), await openLog(url, { stateDir })];
    for (const { decisions } of gateways) await decisions.admit(admission());
    await eventually(async () => (await countRows(database)) === left + 2);
    await eventually(async () => (await readdir(spoolFolder(stateDir, "postgres"))).length === 2);
    for (const { decisions } of gateways) await decisions.close();
    expect(await countRows(database)).toBe(left + 2);
    expect(await countDeadLetters(database)).toBe(0);
  });

  test("leaves the spool of a living gateway alone", async () => {
    const { url, database } = await newDatabase();
    const stateDir = temporaryFolder();
    const { decisions: living } = await openLog(unreachable, { stateDir });
    await living.admit(admission());
    const other = await openLog(url, { stateDir });
    await other.decisions.admit(admission());
    await eventually(isShipped(other));
    await other.decisions.close();
    expect(await countRows(database)).toBe(1);
    expect(await readSpool(stateDir, "postgres")).toHaveLength(1);
    await living.close();
  });

  test("leaves what an embedded gateway recorded in the same state folder alone", async () => {
    const { url, database } = await newDatabase();
    const stateDir = temporaryFolder();
    const embedded = await createDecisionLog(logOptions(stateDir));
    await embedded.admit(admission());
    await embedded.close();
    const shipping = await openLog(url, { stateDir });
    await shipping.decisions.admit(admission());
    await eventually(isShipped(shipping));
    await shipping.decisions.close();
    expect(await countRows(database)).toBe(1);
    expect(await readSpool(stateDir, "embedded")).toHaveLength(1);
  });

  test("fails closed when the unshipped spool is full and goes on when it has room", async () => {
    const { url, database } = await newDatabase();
    const proxy = await startTcpProxy(url);
    proxy.setMode("refuse");
    const shipping = await openLog(proxy.url, { limits: { spoolMaxBytes: 20_000 } });
    const { decisions } = shipping;
    let admitted = 0;
    const fill = async (): Promise<never> => {
      for (;;) {
        await decisions.admit(admission());
        admitted += 1;
      }
    };
    const full = fill();
    await expect(full).rejects.toMatchObject({ code: "audit_unavailable" });
    await expect(full).rejects.toThrow(/bring the server of decisions.store back/);
    expect(admitted).toBeGreaterThan(5);
    proxy.setMode("pass");
    await eventually(isShipped(shipping));
    await decisions.admit(admission());
    await decisions.close();
    expect(await countRows(database)).toBe(admitted + 1);
    await proxy.close();
  });

  test("ships the records beside a poisoned one and counts the dead letter", async () => {
    const { url, database } = await newDatabase();
    const shipping = await openLog(url);
    const { decisions } = shipping;
    const poisoned = outcome("01a20380-09b5-74ad-aae8-b1dea6c5b504", { resultBytes: 1e30 });
    for (let count = 0; count < 20; count += 1) await decisions.admit(admission());
    decisions.settle(poisoned);
    for (let count = 0; count < 20; count += 1) await decisions.admit(admission());
    await eventually(isShipped(shipping));
    expect(decisions.status().shipper?.deadLetters).toBe(1);
    await decisions.close();
    expect(await countRows(database)).toBe(40);
  });
});
