/**
 * Brings a database to this version's schema: all missing migrations in one transaction, behind a
 * lock that lets several processes start at once. A ledger keeps the digest of each migration; a
 * database that a newer version has migrated is left alone.
 */
import { DatabaseError } from "./database.ts";
import type { Database, Queryable } from "./database.ts";
import { readMigrations } from "./migration-files.ts";
import type { Migration } from "./migration-files.ts";

/** Any number; the same in all versions. */
const lockMigrations = "SELECT pg_advisory_xact_lock(4907211855306214)";

const createLedger = `
CREATE SCHEMA IF NOT EXISTS mcp_gateway;
CREATE TABLE IF NOT EXISTS mcp_gateway.migration (
  name       text PRIMARY KEY,
  sha256     text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);`;

const selectApplied = "SELECT name, sha256 FROM mcp_gateway.migration";
const insertApplied = "INSERT INTO mcp_gateway.migration (name, sha256) VALUES ($1, $2)";
const selectEncoding = "SELECT current_setting('server_encoding') AS encoding";

/** Applies what is missing and returns the names of what it applied. */
export async function migrate(
  database: Database,
  migrations?: readonly Migration[],
): Promise<readonly string[]> {
  const shipped = migrations ?? (await readMigrations());
  return database.transaction(async (inside) => {
    await inside.query(lockMigrations);
    await checkEncoding(inside);
    await inside.script(createLedger);
    const applied = await readApplied(inside);
    checkApplied(applied, shipped);
    const missing = shipped.filter(({ name }) => !applied.has(name));
    for (const { name, sql, sha256 } of missing) {
      await inside.script(sql);
      await inside.query(insertApplied, [name, sha256]);
    }
    return missing.map(({ name }) => name);
  });
}

async function readApplied(inside: Queryable): Promise<ReadonlyMap<string, string>> {
  const rows = await inside.query(selectApplied);
  return new Map(rows.map((row) => [String(row["name"]), String(row["sha256"])]));
}

function checkApplied(applied: ReadonlyMap<string, string>, shipped: readonly Migration[]): void {
  const digests = new Map(shipped.map(({ name, sha256 }) => [name, sha256]));
  for (const [name, sha256] of applied) {
    const own = digests.get(name);
    if (own === undefined) throw new DatabaseError("database_newer", newer(name));
    if (own !== sha256) throw new DatabaseError("migration_changed", changed(name));
  }
}

async function checkEncoding(inside: Queryable): Promise<void> {
  const encoding = String((await inside.query(selectEncoding))[0]?.["encoding"]);
  if (encoding === "UTF8") return;
  throw new DatabaseError(
    "database_encoding",
    `expected the database of decisions.store to have encoding UTF8, found ${encoding}; create it with ENCODING 'UTF8' TEMPLATE template0`,
  );
}

function newer(name: string): string {
  return `expected a database that this version knows, found migration ${name} of a newer mcp-gateway; upgrade this one`;
}

function changed(name: string): string {
  return `expected migration ${name} as this version ships it, found another one applied; use the mcp-gateway version that made this database`;
}
