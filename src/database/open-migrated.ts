/**
 * A Postgres database with this version's schema. Apart from `postgres.ts` and `migrate.ts`, since the
 * embedded database is migrated too and some connections must not migrate anything.
 */
import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import type { PostgresOptions } from "./postgres.ts";
import { openPostgres } from "./postgres.ts";

/**
 * Connects and migrates; what cannot be migrated is closed.
 *
 * @throws DatabaseError
 */
export async function openMigrated(url: string, options?: PostgresOptions): Promise<Database> {
  const database = await openPostgres(url, options);
  return await closingOnFailure(database, () => migrate(database));
}

/** The database once it is prepared; closed where it cannot be. */
export async function closingOnFailure(
  database: Database,
  prepare: () => Promise<unknown>,
): Promise<Database> {
  try {
    await prepare();
    return database;
  } catch (thrown) {
    // Why it could not be prepared matters more than why it could not be closed.
    await database.close().catch(() => undefined);
    throw thrown;
  }
}
