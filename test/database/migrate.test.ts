import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { migrate } from "../../src/database/migrate.ts";
import { readMigrations } from "../../src/database/migration-files.ts";
import { openEmbedded } from "../../src/database/pglite.ts";
import { openPostgres } from "../../src/database/postgres.ts";
import { systemClock } from "../../src/config/ambient.ts";
import { startTestPostgres } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const postgres = await startTestPostgres();
afterAll(() => postgres?.close());

async function open(kind: string): Promise<Database> {
  const database =
    kind === "embedded"
      ? await openEmbedded(temporaryFolder(), { clock: systemClock })
      : await openPostgres((await postgres?.createDatabase()) ?? "");
  onTestFinished(() => database.close());
  return database;
}

const tables = "SELECT count(*)::int AS count FROM pg_tables WHERE schemaname = 'mcp_gateway'";

describe.each(postgres === undefined ? ["embedded"] : ["embedded", "postgres"])(
  "migrating a database, %s",
  { timeout: 90_000 },
  (kind) => {
    test("applies everything once; a second time changes nothing", async () => {
      const database = await open(kind);
      const shipped = (await readMigrations()).map(({ name }) => name);
      expect(await migrate(database)).toEqual(shipped);
      const before = await database.query(tables);
      expect(await migrate(database)).toEqual([]);
      expect(await database.query(tables)).toEqual(before);
      expect(await database.query("SELECT * FROM decisions")).toEqual([]);
    });

    test("refuses a database of a newer version and a migration that was changed", async () => {
      const database = await open(kind);
      await migrate(database);
      const set = "UPDATE mcp_gateway.migration SET sha256 = 'other'";
      await database.query(set);
      await expect(migrate(database)).rejects.toMatchObject({ code: "migration_changed" });
      await database.query("DELETE FROM mcp_gateway.migration WHERE name NOT LIKE '0001-%'");
      await database.query("UPDATE mcp_gateway.migration SET name = '9999-later'");
      const refused = migrate(database);
      await expect(refused).rejects.toMatchObject({ code: "database_newer" });
      await expect(refused).rejects.toThrow(/9999-later of a newer mcp-gateway; upgrade this one/);
    });

    test("leaves nothing behind when a migration fails", async () => {
      const database = await open(kind);
      const bad = {
        name: "0002-bad",
        sql: "CREATE TABLE mcp_gateway.x (); SELECT 1/0",
        sha256: "",
      };
      const failing = migrate(database, [...(await readMigrations()), bad]);
      await expect(failing).rejects.toMatchObject({ code: "22012" });
      expect(await database.query(tables)).toEqual([{ count: 0 }]);
      await migrate(database);
    });
  },
);

describe.skipIf(postgres === undefined)(
  "migrating one postgres database",
  { timeout: 90_000 },
  () => {
    test("from several processes at once applies each migration once", async () => {
      const url = (await postgres?.createDatabase()) ?? "";
      const databases = await Promise.all(Array.from({ length: 8 }, () => openPostgres(url)));
      const applied = await Promise.all(databases.map((database) => migrate(database)));
      expect(applied.flat()).toEqual((await readMigrations()).map(({ name }) => name));
      for (const database of databases) await database.close();
    });

    test("refuses one whose encoding cannot hold every record", async () => {
      const url = (await postgres?.createDatabase()) ?? "";
      const admin = await openPostgres(url);
      const other = `${new URL(url).pathname.slice(1)}_latin`;
      await admin.script(
        `CREATE DATABASE "${other}" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`,
      );
      const database = await openPostgres(url.replace(/[^/]+$/, other));
      await expect(migrate(database)).rejects.toMatchObject({ code: "database_encoding" });
      await database.close();
      await admin.script(`DROP DATABASE "${other}"`);
      await admin.close();
    });
  },
);
