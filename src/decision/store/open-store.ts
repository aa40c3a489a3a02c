/**
 * Opens the store that the configuration names, migrated. The embedded one first takes in what the
 * spool has, so that whoever asks sees every committed decision.
 */
import type { DecisionsConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { migrate } from "../../database/migrate.ts";
import { openEmbedded } from "../../database/pglite.ts";
import { openPostgres } from "../../database/postgres.ts";
import { spoolFolder } from "../spool/writer-folder.ts";
import { takeIn } from "./take-in.ts";

export interface OpenStoreOptions {
  readonly stateDir: string;
  readonly store: DecisionsConfig["store"];
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the store for reading; throws `DatabaseError`. */
export async function openStore(options: OpenStoreOptions): Promise<Database> {
  const { store, stateDir, clock, log } = options;
  if (store.kind === "postgres") return openPostgresStore(store.url);
  const database = await openEmbedded(stateDir, { clock });
  return closingOnFailure(database, async () => {
    await migrate(database);
    await takeIn(database, { spool: spoolFolder(stateDir, store.kind), clock, log });
  });
}

/** Connects to Postgres and migrates. */
export async function openPostgresStore(url: string): Promise<Database> {
  const database = await openPostgres(url);
  return closingOnFailure(database, async () => {
    await migrate(database);
  });
}

async function closingOnFailure(
  database: Database,
  prepare: () => Promise<void>,
): Promise<Database> {
  try {
    await prepare();
    return database;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}
