import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/database/postgres.ts";
import { startTcpProxy } from "../decision/tcp-proxy.ts";
import { startTestPostgres } from "../support/postgres.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

test.skipIf(postgres === undefined)(
  "a connection that breaks between two statements fails the transaction and not the process",
  { timeout: 60_000 },
  async () => {
    const proxy = await startTcpProxy((await postgres?.createDatabase()) ?? "");
    onTestFinished(() => proxy.close());
    const database = await openPostgres(proxy.url);
    onTestFinished(() => database.close());
    const broken = database.transaction(async (inside) => {
      await inside.query("SELECT 1");
      proxy.cut();
      // An error that nobody listens to would end the process in this time.
      await wait(200);
      await inside.query("SELECT 1");
    });
    await expect(broken).rejects.toThrow(/./);
    expect(await database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  },
);
