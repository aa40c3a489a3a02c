/**
 * Opens the store that the configuration names, migrated. The embedded one first takes in what the
 * spool has, so that whoever asks sees every committed decision.
 */
import type { DecisionsConfig } from "../../config/config.ts";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { migrate } from "../../database/migrate.ts";
import { closingOnFailure, openMigrated } from "../../database/open-migrated.ts";
import { openEmbedded } from "../../database/pglite.ts";
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
  if (store.kind === "postgres") return openMigrated(store.url);
  const database = await openEmbedded(stateDir, { clock });
  return closingOnFailure(database, async () => {
    await migrate(database);
    await takeIn(database, { spool: spoolFolder(stateDir, store.kind), clock, log });
  });
}
