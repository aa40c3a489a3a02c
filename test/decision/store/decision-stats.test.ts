/**
 * Statistics of ten thousand decisions of the last hour beside those of many days, in a real Postgres:
 * the numbers are right, and what was not asked for is not read.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database, Queryable } from "../../../src/database/database.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { decisionStats } from "../../../src/decision/store/decision-stats.ts";
import { dayMs, Partitions } from "../../../src/decision/store/partitions.ts";
import { listDecisions } from "../../../src/decision/store/query-decisions.ts";
import { lowestUuid } from "../../../src/decision/store/uuid-time.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";

const postgres = await startTestPostgres();
const nowMs = Date.now();
const hourMs = 60 * 60_000;
const daysBefore = 7;
const recent = 10_000;
const perDay = 1000;

/** Rows of `$1` decisions, the newest at `$2` milliseconds, spread over `$3` milliseconds before it. */
const fill = `
INSERT INTO mcp_gateway.decision (
  decision_id, kind, recorded_at, writer, seq, tenant, agent, user_id, server, tool, exposed_name,
  action_type, effect, enforced, reasons, policy_ms, total_ms, posture
)
SELECT
  (lpad(to_hex(at_ms::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
  'admission', to_timestamp(at_ms / 1000), 'w', n, 'default', 'agent-' || n % 2, 'u',
  'server-' || n % 2, 'tool-' || n % 4, 'x', 'tool_call',
  CASE n % 10 WHEN 0 THEN 'deny' WHEN 1 THEN 'hold' WHEN 2 THEN 'deny' ELSE 'allow' END,
  n % 10 <> 2,
  CASE n % 10 WHEN 0 THEN ARRAY['first', 'second'] WHEN 2 THEN ARRAY['first'] ELSE '{}' END,
  n % 101, n % 101 * 2, 'strict'
FROM (
  SELECT n, $2::float8 - n * $3::float8 / $1::float8 AS at_ms
  FROM generate_series(1, $1::integer) AS n
) AS made`;

const fillOutcomes = `
INSERT INTO mcp_gateway.decision (decision_id, kind, recorded_at, writer, seq, outcome, latency_ms)
SELECT decision_id, 'outcome', recorded_at, 'w', seq, 'completed', 500
FROM mcp_gateway.decision WHERE effect = 'allow';
INSERT INTO mcp_gateway.decision_payload (decision_id, kind, record, document)
SELECT decision_id, kind, '\\x00', '{"layers":[{"name":"crm","eval_ns":1000000}]}'
FROM mcp_gateway.decision;
ANALYZE mcp_gateway.decision, mcp_gateway.decision_payload`;

let opened: Database | undefined;

beforeAll(async () => {
  const url = await postgres?.createDatabase();
  if (url === undefined) return;
  opened = await openMigrated(url);
  const partitions = new Partitions(opened, createTestLog());
  const days = Array.from({ length: daysBefore + 1 }, (_, days) => nowMs - days * dayMs);
  await partitions.ensureFor(days.map(lowestUuid));
  await partitions.makeAhead(nowMs);
  await opened.query(fill, [recent, nowMs, hourMs - 60_000]);
  // Within the slack of ids: only the time tells these from the hour.
  const earlierMs = nowMs - 1.2 * hourMs;
  await opened.query(fill, [daysBefore * perDay, earlierMs, (daysBefore - 1) * dayMs]);
  await opened.script(fillOutcomes);
}, 90_000);

afterAll(async () => {
  await opened?.close();
  await postgres?.close();
});

const database = (): Database => {
  if (opened === undefined) throw new Error("no database");
  return opened;
};

describe.skipIf(postgres === undefined)("statistics of the last hour", { timeout: 90_000 }, () => {
  test("count and measure everything of it, and nothing before it", async () => {
    const stats = await decisionStats(database(), { sinceMs: nowMs - hourMs, by: "tool" });
    expect(stats).toMatchObject({
      all: {
        decisions: recent,
        denied: recent / 10,
        held: recent / 10,
        observed: recent / 10,
        denied_share: 0.1,
        call_ms: { p50: 500, p99: 500 },
      },
      reasons: [
        { code: "first", count: recent / 5 },
        { code: "second", count: recent / 10 },
      ],
      layers: [{ name: "crm", decisions: recent, failed: 0, eval_ms: { p50: 1, p99: 1 } }],
    });
    const names = stats.groups?.map(({ name, decisions }) => [name, decisions]);
    expect(names).toEqual(
      ["server-0/tool-0", "server-0/tool-2", "server-1/tool-1", "server-1/tool-3"].map((name) => [
        name,
        recent / 4,
      ]),
    );
    // n % 101 over a hundred rounds: the middle is near 50, its 99th percentile at the end.
    expect(Math.round(stats.all.policy_ms.p50 ?? 0)).toBe(50);
    expect(stats.all.policy_ms.p99).toBeGreaterThanOrEqual(98);
    expect(stats.all.decide_ms.p50).toBe((stats.all.policy_ms.p50 ?? 0) * 2);
  });

  test.each(["tool", "server", "agent", "reason"] as const)(
    "by %s reads the partitions of no earlier day",
    async (by) => {
      const { store, plans } = explaining(database());
      await decisionStats(store, { sinceMs: nowMs - hourMs, by });
      expect(plans).toHaveLength(by === "reason" ? 3 : 4);
      for (const plan of plans) expect(earlierDaysIn(plan)).toEqual([]);
    },
  );

  test("would be caught reading them", async () => {
    const { store, plans } = explaining(database());
    await decisionStats(store, { sinceMs: nowMs - daysBefore * dayMs, by: undefined });
    for (const plan of plans) expect(earlierDaysIn(plan).length).toBeGreaterThanOrEqual(4);
  });
});

describe.skipIf(postgres === undefined)("a list of the newest", { timeout: 90_000 }, () => {
  test.each([
    ["of an hour", { sinceMs: nowMs - hourMs, limit: 50 }],
    ["of all times", { limit: 10 }],
    ["of one agent", { limit: 10, agent: "agent-1" }],
    ["that were denied", { limit: 10, effect: "deny" }],
  ])("%s reads no table from end to end", async (_, filter) => {
    const { store, plans } = explaining(database());
    expect((await listDecisions(store, filter)).length).toBe(filter.limit);
    expect(plans.join("\n")).toContain("Index");
    expect(readRows(plans.join("\n"))).toBeLessThan(20 * filter.limit);
  });
});

/** The store, and the plan of each statement that it was asked. */
function explaining(store: Queryable) {
  const plans: string[] = [];
  const query: Queryable["query"] = async (text, parameters) => {
    const rows = await store.query(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${text}`, parameters);
    plans.push(rows.map((row) => String(row["QUERY PLAN"])).join("\n"));
    return await store.query(text, parameters);
  };
  return { store: { ...store, query }, plans };
}

/** Days of partitions that are named, but for those of the hour and of the slack before it. */
function earlierDaysIn(plan: string): readonly string[] {
  const oldest = new Date(nowMs - 2 * hourMs).toISOString().slice(0, 10).replaceAll("-", "");
  const named = [...plan.matchAll(/\bdecision(?:_payload)?_(\d{8})\b/g)].map(([, day = ""]) => day);
  return [...new Set(named.filter((day) => day < oldest))];
}

/** Rows that all scans gave, those of each loop together. */
function readRows(plan: string): number {
  const scans = plan.matchAll(/Scan .*\(actual rows=([\d.]+) loops=(\d+)\)/g);
  return [...scans].reduce((sum, [, rows, loops]) => sum + Number(rows) * Number(loops), 0);
}
