import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { createDecisionLog } from "../../../src/decision/decision-log.ts";
import { tellArrival } from "../../../src/decision/store/tell-arrival.ts";
import { watchDecisions } from "../../../src/decision/store/watch-decisions.ts";
import type { LookCause } from "../../../src/decision/store/watch-decisions.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { allowed, logOptions } from "../support.ts";
import { startTcpProxy } from "../tcp-proxy.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

/** Looks until the test ends. */
function watch(store: Parameters<typeof watchDecisions>[0], pollMs?: number): LookCause[] {
  const causes: LookCause[] = [];
  const ending = new AbortController();
  const options = { signal: ending.signal, ...(pollMs === undefined ? {} : { pollMs }) };
  const watching = (async () => {
    for await (const cause of watchDecisions(store, options)) causes.push(cause);
  })();
  onTestFinished(async () => {
    ending.abort();
    await watching;
  });
  return causes;
}

const hour = 3_600_000;

describe("watching decisions", { timeout: 90_000 }, () => {
  test("of the embedded store looks at once and then now and then", async () => {
    const causes = watch({ kind: "embedded" }, 20);
    await eventually(() => causes.length > 3);
    expect(causes.slice(0, 3)).toEqual(["begin", "interval", "interval"]);
  });

  test("of a store that is away looks all the same", async () => {
    const causes = watch({ kind: "postgres", url: "postgres://nobody@127.0.0.1:1/none" }, 20);
    await eventually(() => causes.length > 3);
    expect(causes).not.toContain("arrived");
  });

  test("ends with its signal, also while it waits", async () => {
    const ending = new AbortController();
    const looks = watchDecisions({ kind: "embedded" }, { signal: ending.signal, pollMs: hour });
    await looks.next();
    const next = looks.next();
    ending.abort();
    expect(await next).toEqual({ value: undefined, done: true });
  });
});

describe.skipIf(postgres === undefined)("watching a postgres", { timeout: 90_000 }, () => {
  test("looks when a gateway has shipped, and not before", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const store = { kind: "postgres" as const, url };
    const causes = watch(store, hour);
    // The second look is for what came before it listened.
    await eventually(() => causes.length === 2);
    await delay(50);
    expect(causes).toEqual(["begin", "arrived"]);
    const log = await createDecisionLog({ ...logOptions(temporaryFolder()), store });
    onTestFinished(() => log.close());
    await log.admit(allowed());
    await eventually(() => causes.length > 2);
    expect(causes[2]).toBe("arrived");
  });

  test("listens again after its connection was cut", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const proxy = await startTcpProxy(url);
    onTestFinished(() => proxy.close());
    const database = await openMigrated(url);
    onTestFinished(() => database.close());
    const causes = watch({ kind: "postgres", url: proxy.url }, hour);
    await eventually(() => causes.length === 2);
    proxy.cut();
    await eventually(() => causes.length > 2);
    const known = causes.length;
    await tellArrival(database, createTestLog());
    await eventually(() => causes.length > known);
    expect(causes.at(-1)).toBe("arrived");
  });

  test("a notification carries nothing", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const database = await openMigrated(url);
    onTestFinished(() => database.close());
    const { Client } = await import("pg");
    const client = new Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    const payloads: (string | undefined)[] = [];
    client.on("notification", ({ payload }) => void payloads.push(payload));
    await client.query("LISTEN mcp_gateway_decisions");
    const store = { kind: "postgres" as const, url };
    const log = await createDecisionLog({ ...logOptions(temporaryFolder()), store });
    onTestFinished(() => log.close());
    await log.admit(allowed());
    await eventually(() => payloads.length > 0);
    expect(new Set(payloads)).toEqual(new Set([""]));
  });
});
