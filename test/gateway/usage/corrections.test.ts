/**
 * What is given back and made exact after a call, with a store that is away meanwhile: a real database
 * that is stopped and started, and stores that fail in one way each.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Bundle } from "../../../src/contract/bundle.ts";
import { Corrections } from "../../../src/gateway/usage/corrections.ts";
import { openPostgresStore } from "../../../src/policy/usage/postgres-store.ts";
import type { Correction, UsageStore } from "../../../src/policy/usage/usage-store.ts";
import { toMillionths, UsageError } from "../../../src/policy/usage/usage-store.ts";
import { openMigrated } from "../../../src/database/open-migrated.ts";
import { eventually } from "../../support/eventually.ts";
import { createTestLog } from "../../support/log.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { text } from "../fake-server.ts";
import { openGateway, readReply } from "../open-gateway.ts";
import type { TestPolicies } from "../test-policies.ts";
import { compileTestPolicies } from "../test-policies.ts";

const postgres = await startTestPostgres();
let policies: TestPolicies;

beforeAll(async () => {
  policies = await compileTestPolicies();
}, 60_000);

afterAll(() => postgres?.close());

/** A gateway that counts tokens in a database; its server answers when it is told to. */
async function openCounting() {
  const url = (await postgres?.createDatabase()) ?? "";
  const timeouts = { connectTimeoutMs: 2_000, queryTimeoutMs: 5_000 };
  const openStore = () => openPostgresStore(() => openMigrated(url, timeouts));
  const answers: (() => void)[] = [];
  const answer = async () => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return text("x".repeat(4_000));
  };
  const counters = { tokens: { key: ["user"], limit: 9_000, cost: "tokens", reserve: 10 } };
  const server = (name: string): Bundle => ({ ...policies.server(name), metadata: { counters } });
  const tools = [{ name: "pay", inputSchema: { type: "object" } }];
  const open = openGateway({
    servers: { bank: { tools, answer } },
    policies: { ...policies, server },
    deps: { openUsageStore: async () => openStore() },
  });
  const used = async (): Promise<number | undefined> => {
    const store = openStore();
    try {
      const [state] = await store.list("[");
      return state?.used;
    } finally {
      await store.close();
    }
  };
  return { open, answers, used };
}

describe.runIf(postgres?.canStop)(
  "a database that is away when a call ends",
  { timeout: 120_000 },
  () => {
    test("has what the call really cost once it is back", async () => {
      const { open, answers, used } = await openCounting();
      const call = open.call("bank__pay");
      await eventually(() => answers.length === 1);
      expect(await used()).toBe(toMillionths(10));
      await postgres?.stop();
      answers[0]?.();
      await call;
      await eventually(() =>
        open.log.lines.some(({ message }) => message === "counters not corrected yet"),
      );
      await postgres?.start();
      await eventually(async () => ((await used()) ?? 0) > toMillionths(1_000), 30_000);
    });

    test("has what was given back once it is back", async () => {
      const { open, used } = await openCounting();
      let refuse: () => void = () => {};
      let isAsked = false;
      const { disk } = open;
      const { admit } = disk;
      disk.admit = () => {
        disk.admit = admit;
        isAsked = true;
        return new Promise((_, reject) => {
          refuse = () => reject(new Error("full"));
        });
      };
      const call = open.call("bank__pay");
      await eventually(() => isAsked);
      expect(await used()).toBe(toMillionths(10));
      await postgres?.stop();
      // Only what was never sent is given back later: its connection has to be known as broken.
      expect(JSON.stringify(readReply(await open.call("bank__pay")))).toContain(
        "state_unavailable",
      );
      refuse();
      await call;
      await eventually(() =>
        open.log.lines.some(({ message }) => message === "counters not corrected yet"),
      );
      await postgres?.start();
      await eventually(async () => (await used()) === 0, 30_000);
    });
  },
);

/** What a store of this failure was asked for; it works after so many failures. */
function failing(cause: Error, failures: number) {
  const asked: (readonly Correction[])[] = [];
  const correct = async (corrections: readonly Correction[]): Promise<void> => {
    asked.push(corrections);
    if (asked.length > failures) return;
    throw new UsageError("usage_store_unavailable", "away", { cause });
  };
  const none = (): Promise<never> => Promise.reject(new Error("not asked for"));
  const others = { reserve: none, join: none, list: none, grant: none, reset: none };
  const store: UsageStore = { ...others, correct, close: async () => {} };
  const log = createTestLog();
  const corrections = new Corrections(async () => store, log);
  onTestFinished(() => corrections.close());
  return { asked, corrections, log };
}

const refused = () => Object.assign(new Error("no"), { code: "ECONNREFUSED" });
const add = { key: "a", startMs: 0, delta: 5 };
const giveBack = { key: "a", startMs: 0, delta: -3 };

describe("corrections of counters", () => {
  test("are all sent again, each sort together, where nothing was sent", async () => {
    const { asked, corrections } = failing(refused(), 2);
    corrections.add([add, giveBack]);
    corrections.add([add, { ...add, key: "b" }]);
    await eventually(() => asked.length >= 3);
    expect(asked[2]).toEqual([{ ...add, delta: 10 }, giveBack, { ...add, key: "b" }]);
    await corrections.close();
    expect(asked).toHaveLength(3);
  });

  test("give nothing back a second time where nobody knows what came of the first", async () => {
    const { asked, corrections, log } = failing(new Error("Socket closed unexpectedly"), 1);
    corrections.add([giveBack, add]);
    await eventually(() => asked.length >= 2);
    expect(asked[1]).toEqual([add]);
    expect(log.lines[0]?.data).toMatchObject({ kept: 1, lost: 1 });
  });

  test("are tried once more at the end, and the log says what was lost", async () => {
    const { asked, corrections, log } = failing(refused(), 99);
    corrections.add([add]);
    await eventually(() => log.lines.length === 1);
    await corrections.close();
    expect(asked.length).toBeGreaterThanOrEqual(2);
    const [said] = log.lines.filter(({ level }) => level === "error");
    expect(said).toMatchObject({ message: "counters not corrected", data: { corrections: 1 } });
  });

  test("of nothing are not sent", () => {
    const { asked, corrections } = failing(refused(), 0);
    corrections.add([{ ...add, delta: 0 }]);
    expect(asked).toEqual([]);
  });
});
