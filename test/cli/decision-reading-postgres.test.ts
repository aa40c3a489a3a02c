/**
 * `decision stats` and `decision tail` on a real Postgres that several gateways ship to, over midnight
 * and over a time in which it is away.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createIds, systemClock } from "../../src/config/ambient.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";
import { openMigrated } from "../../src/database/open-migrated.ts";
import type { ObservedDecisionLog } from "../../src/decision/decision-log.ts";
import { createDecisionLog } from "../../src/decision/decision-log.ts";
import { admission, allowed, logOptions, outcome } from "../decision/support.ts";
import { eventually } from "../support/eventually.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());
afterEach(() => void vi.useRealTimers());

const patienceMs = 40_000;

interface Store {
  readonly url: string;
  readonly folder: string;
}

async function openStore(): Promise<Store> {
  const url = (await postgres?.createDatabase()) ?? "";
  const folder = temporaryFolder();
  const decisions = { store: "${env:STORE}" };
  const config = { agent: { id: "a" }, user: { id: "u" }, servers: {}, decisions };
  await writeFile(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  await mkdir(join(folder, "state"), { mode: 0o700 });
  return { url, folder };
}

/** A gateway's log with a state folder of its own, that ships to the store. */
async function openGateway({ url }: Store): Promise<ObservedDecisionLog> {
  const store = { kind: "postgres" as const, url };
  const log = await createDecisionLog({ ...logOptions(temporaryFolder()), store });
  onTestFinished(() => log.close());
  return log;
}

interface Spoken {
  code: number;
  readonly out: string[];
  readonly err: string[];
}

async function decision(
  { url, folder }: Store,
  words: string,
  more: Partial<CliIo> = {},
  spoken: Spoken = { code: 0, out: [], err: [] },
): Promise<Spoken> {
  const io: CliIo = {
    out: (text) => void spoken.out.push(text),
    err: (text) => void spoken.err.push(text),
    env: { MCP_GATEWAY_STATE: join(folder, "state"), HOME: folder, STORE: url },
    cwd: folder,
    columns: undefined,
    exit: (code) => {
      spoken.code = code;
    },
    ...more,
  };
  await run(["decision", ...words.split(" "), "--config", "config.json"], io);
  return spoken;
}

/** Follows until `end`, which resolves with everything that was said. */
function follow(store: Store, words = "tail -f -n 0 -o jsonl") {
  const interruption = new AbortController();
  const spoken: Spoken = { code: 0, out: [], err: [] };
  const untilInterrupted = () => interruption.signal;
  const tailing = decision(store, words, { untilInterrupted }, spoken);
  const ids = (): readonly unknown[] => spoken.out.map((line) => JSON.parse(line).decision_id);
  const end = async (): Promise<Spoken> => {
    interruption.abort();
    await tailing;
    return spoken;
  };
  onTestFinished(async () => void (await end()));
  return {
    spoken,
    ids,
    end,
    printed: (count: number) => eventually(() => ids().length >= count, patienceMs),
  };
}

describe.skipIf(postgres === undefined)("statistics from postgres", { timeout: 120_000 }, () => {
  test("are of all gateways that ship to it", async () => {
    const store = await openStore();
    const [first, second] = [await openGateway(store), await openGateway(store)];
    await first.admit(admission());
    for (const gateway of [first, second]) {
      const granted = allowed();
      await gateway.admit(granted);
      gateway.settle(outcome(granted.decisionId));
    }
    for (const gateway of [first, second]) {
      await eventually(() => gateway.status().unshippedBytes === 0, patienceMs);
    }
    const { code, out } = await decision(store, "stats --since 1h --by tool -o json");
    expect(code).toBe(0);
    expect(JSON.parse(out.join("\n"))).toMatchObject({
      all: { decisions: 3, denied: 1, denied_share: 1 / 3, call_ms: { p50: 12.5 } },
      reasons: [{ code: "data_class_unauthorized_for_user", count: 1 }],
      layers: [{ name: "crm", decisions: 3, failed: 3 }],
      groups: [{ name: "crm/export_customers", decisions: 3, denied: 1 }],
    });
    const table = (await decision(store, "stats --since 1h")).out.join("\n");
    expect(table).toContain("3 decisions since");
    expect(table).toContain("1 denied (33.3 %)");
  });

  test("of a time in which nothing was decided are none", async () => {
    const store = await openStore();
    const { out } = await decision(store, "stats --since 2099-01-01");
    expect(out).toEqual([
      "0 decisions since 2099-01-01T00:00:00.000Z: 0 denied (0.0 %), 0 held, 0 observed",
    ]);
  });

  test("of a store that is away are an error that says so", async () => {
    const store = await openStore();
    const { code, err } = await decision(
      { ...store, url: "postgres://nobody@127.0.0.1:1/none" },
      "stats",
    );
    expect(code).not.toBe(0);
    expect(err.join()).toContain("database_unreachable");
  });
});

describe.skipIf(postgres === undefined)("following postgres", { timeout: 120_000 }, () => {
  test("prints what each of two gateways decides, once, as it comes", async () => {
    const store = await openStore();
    const [first, second] = [await openGateway(store), await openGateway(store)];
    const before = admission();
    await first.admit(before);
    const { ids, printed, end } = follow(store, "tail -f -n 1 -o jsonl");
    await printed(1);
    const decided = [before.decisionId];
    for (const gateway of [second, first, second, first]) {
      const next = admission();
      await gateway.admit(next);
      decided.push(next.decisionId);
      await printed(decided.length);
    }
    await Promise.all([first.admit(admission()), second.admit(admission())]);
    await printed(decided.length + 2);
    expect((await end()).code).toBe(0);
    expect(ids().slice(0, decided.length)).toEqual(decided);
    expect(new Set(ids()).size).toBe(decided.length + 2);
  });

  test("takes filters, and prints nothing that they leave out", async () => {
    const store = await openStore();
    const gateway = await openGateway(store);
    const { ids, printed, end } = follow(store, "tail -f -n 0 -o jsonl --effect deny");
    await gateway.admit(allowed());
    const [first, last] = [admission(), admission()];
    await gateway.admit(first);
    await printed(1);
    await gateway.admit(allowed());
    await gateway.admit(last);
    await printed(2);
    await end();
    expect(ids()).toEqual([first.decisionId, last.decisionId]);
  });

  test("goes on over midnight, from one partition into the next", async () => {
    const today = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    vi.useFakeTimers({ toFake: ["Date"], now: today - 20_000 });
    // Ids of this process never go back, so that those of an earlier day need a source of their own.
    const newId = createIds(systemClock);
    const store = await openStore();
    const gateway = await openGateway(store);
    const evening = [admission({ decisionId: newId() }), admission({ decisionId: newId() })];
    const { ids, printed, end } = follow(store);
    for (const record of evening) await gateway.admit(record);
    await printed(2);
    vi.setSystemTime(today + 5000);
    const morning = admission({ decisionId: newId() });
    await gateway.admit(morning);
    await printed(3);
    vi.setSystemTime(today + 120_000);
    const later = admission({ decisionId: newId() });
    await gateway.admit(later);
    await printed(4);
    await end();
    expect(ids()).toEqual([...evening, morning, later].map(({ decisionId }) => decisionId));
    const database = await openMigrated(store.url);
    onTestFinished(() => database.close());
    const rows = await database.query(
      "SELECT count(*)::int AS count FROM mcp_gateway.decision GROUP BY tableoid ORDER BY 1",
    );
    expect(rows).toEqual([{ count: 2 }, { count: 2 }]);
  });

  test.skipIf(postgres?.canStop !== true)(
    "says once that the store is away, and prints what came meanwhile when it is back",
    async () => {
      const store = await openStore();
      const gateway = await openGateway(store);
      const { spoken, ids, printed, end } = follow(store);
      const before = admission();
      await gateway.admit(before);
      await printed(1);
      await postgres?.stop();
      const meanwhile = admission();
      await gateway.admit(meanwhile);
      await eventually(() => spoken.err.length > 0, patienceMs);
      // Time for more looks, none of which says it again.
      await delay(2500);
      await postgres?.start();
      await printed(2);
      expect((await end()).code).toBe(0);
      expect(ids()).toEqual([before.decisionId, meanwhile.decisionId]);
      expect(spoken.err.filter((line) => line.includes("database_unreachable"))).toHaveLength(1);
    },
  );
});
