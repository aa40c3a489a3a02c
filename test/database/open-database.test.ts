import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/config/ambient.ts";
import { embeddedFolder, openEmbedded } from "../../src/database/pglite.ts";
import { openPostgres } from "../../src/database/postgres.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

describe("the embedded database", { timeout: 90_000 }, () => {
  test("is open in one place at a time, and says in which process", async () => {
    const stateDir = temporaryFolder();
    const first = await openEmbedded(stateDir, { clock: systemClock });
    const second = openEmbedded(stateDir, { clock: systemClock, waitMs: 100 });
    await expect(second).rejects.toMatchObject({ code: "database_locked" });
    await expect(second).rejects.toThrow(`found it open in process ${process.pid}`);
    await first.query("CREATE TABLE kept AS SELECT 7 AS value");
    await first.close();
    const third = await openEmbedded(stateDir, { clock: systemClock });
    expect(await third.query("SELECT value FROM kept")).toEqual([{ value: 7 }]);
    await third.close();
  });

  test("that is broken says how to make it anew and lets go of its lock", async () => {
    const stateDir = temporaryFolder();
    await mkdir(embeddedFolder(stateDir));
    await writeFile(join(embeddedFolder(stateDir), "PG_VERSION"), "not a version");
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const opening = openEmbedded(stateDir, { clock: systemClock, waitMs: 0 });
      await expect(opening).rejects.toMatchObject({ code: "database_unusable" });
      await expect(opening).rejects.toThrow(/remove that folder, the next command makes it anew/);
    }
  });
});

describe("a postgres database", () => {
  test("that does not answer is named by host and port, never with its password", async () => {
    const opening = openPostgres("postgres://alice:hunter2@127.0.0.1:1/decisions");
    await expect(opening).rejects.toMatchObject({ code: "database_unreachable" });
    await expect(opening).rejects.toThrow(/at 127\.0\.0\.1:1\/decisions \(decisions\.store\)/);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });

  test("that accepts connections and says nothing is given up after a while", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const opening = openPostgres(`postgres://a@127.0.0.1:${port}/b`, { connectTimeoutMs: 200 });
    await expect(opening).rejects.toMatchObject({ code: "database_unreachable" });
    silent.close();
  });

  test.each(["", "not a url", "https://example.com/x", "mysql://a@b/c"])(
    "is not expected at %j",
    async (url) => {
      await expect(openPostgres(url)).rejects.toMatchObject({ code: "database_unreachable" });
    },
  );

  test.skipIf(postgres === undefined)("rolls back what a failed transaction did", async () => {
    const database = await openPostgres((await postgres?.createDatabase()) ?? "");
    await database.query("CREATE TABLE kept (value int)");
    const failing = database.transaction(async (inside) => {
      await inside.query("INSERT INTO kept VALUES (1)");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await database.query("SELECT * FROM kept")).toEqual([]);
    await database.close();
  });

  test.skipIf(postgres === undefined)("gives up a query that hangs", async () => {
    const url = (await postgres?.createDatabase()) ?? "";
    const database = await openPostgres(url, { queryTimeoutMs: 200 });
    await expect(database.query("SELECT pg_sleep(5)")).rejects.toThrow(/timeout/i);
    await database.close();
  });
});
