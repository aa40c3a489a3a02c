/**
 * Decisions in Postgres: calls go on while it is away, and every decision arrives once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeFixtureConfig } from "../support/fixture-config.ts";
import { freshEnvironment, runBin, serveCommand } from "../support/gateway-process.ts";
import { allowAll, buildLayout } from "../support/policy-layout.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { startRawClient } from "../support/raw-client.ts";

const postgres = await startTestPostgres();
let layout = "";

beforeAll(async () => {
  layout = await buildLayout({ ok: allowAll });
});

afterAll(() => postgres?.close());

/** For measurements by hand a longer absence can be asked for. */
const awayMs = Number(process.env["TEST_POSTGRES_AWAY_MS"] ?? 3000);

describe.runIf(postgres?.canStop)("with Postgres as the store", () => {
  test("an absence stops no call and loses no decision", { timeout: awayMs + 60_000 }, async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const env = freshEnvironment({ DATABASE_URL: url });
    const config = writeFixtureConfig(
      { ok: { policy: `oci-layout:${layout}:ok` } },
      { decisions: { store: "${env:DATABASE_URL}" } },
    );
    const client = await startRawClient(serveCommand(config, env));
    const slowest = { before: 0, away: 0 };
    let calls = 0;
    const callFor = async (phase: keyof typeof slowest, durationMs: number): Promise<void> => {
      const until = performance.now() + durationMs;
      const enough = calls + 26;
      while (performance.now() < until || calls < enough) {
        const startedMs = performance.now();
        const answer = await client.call("ok__echo", { n: calls });
        expect(Object(answer["result"]).isError).toBeUndefined();
        slowest[phase] = Math.max(slowest[phase], performance.now() - startedMs);
        calls += 1;
        await delay(5);
      }
    };
    await callFor("before", 1000);
    await postgres?.stop();
    await callFor("away", awayMs);
    await postgres?.start();
    await expect.poll(() => countDecisions(url), { timeout: 40_000, interval: 250 }).toBe(calls);
    await client.end();
    expect(calls).toBeGreaterThan(50);

    const { stdout, code } = await runBin(
      ["decision", "list", "--config", config, "--limit", "5", "-o", "jsonl"],
      env,
    );
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(5);
    console.info({ calls, slowest });
  });
});

/** Admissions with an outcome, each counted once; 0 while the server is not back. */
async function countDecisions(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  const isUp = await client.connect().then(
    () => true,
    () => false,
  );
  if (!isUp) return 0;
  try {
    const { rows } = await client.query(
      "SELECT count(*)::int AS n, count(DISTINCT decision_id)::int AS d FROM decisions WHERE outcome = 'completed'",
    );
    expect(rows[0].n).toBe(rows[0].d);
    return rows[0].n;
  } finally {
    await client.end();
  }
}
