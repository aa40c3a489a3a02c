/**
 * Where a replay reads: a Postgres store in the database, an embedded one in its spool, so that its
 * database is open only for as long as it takes to see what was pruned. A database that is not there
 * has pruned nothing.
 */
import { existsSync } from "node:fs";
import { systemClock } from "../../config/ambient.ts";
import { migrate } from "../../database/migrate.ts";
import { closingOnFailure } from "../../database/open-migrated.ts";
import { embeddedFolder, openEmbedded } from "../../database/pglite.ts";
import { spoolFolder } from "../../decision/spool/writer-folder.ts";
import type { History, HistoryFilter, HistoryRow } from "../../decision/store/read-history.ts";
import { readPruned, storedHistory } from "../../decision/store/read-history.ts";
import { spooledHistory } from "../../decision/store/spooled-history.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import { withStore } from "../decision/with-store.ts";
import type { CliIo } from "../io.ts";

/** Opens the recorded decisions of the configuration's store, works, and closes what is open. */
export async function withHistory<Result>(
  io: CliIo,
  configPath: string | undefined,
  filter: HistoryFilter,
  work: (history: History) => Promise<Result>,
): Promise<Result> {
  const { store } = loadConfigFor(io, configPath).config.decisions;
  if (store.kind === "postgres") {
    return await withStore(io, configPath, (database) => work(storedHistory(database, filter)));
  }
  const stateDir = stateDirOf(io);
  const pruned = await prunedIn(stateDir, filter);
  const spool = spoolFolder(stateDir, "embedded");
  return await work(spooledHistory({ spool, clock: systemClock, filter, pruned }));
}

async function prunedIn(stateDir: string, filter: HistoryFilter): Promise<readonly HistoryRow[]> {
  if (!existsSync(embeddedFolder(stateDir))) return [];
  const database = await openEmbedded(stateDir, { clock: systemClock });
  await closingOnFailure(database, () => migrate(database));
  try {
    return await readPruned(database, filter);
  } finally {
    await database.close();
  }
}
