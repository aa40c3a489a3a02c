/**
 * `db migrate`: applies what is missing of the schema. Any number of processes may do so at once.
 */
import { systemClock } from "../../config/ambient.ts";
import { migrate } from "../../database/migrate.ts";
import { openEmbedded } from "../../database/pglite.ts";
import { openPostgres } from "../../database/postgres.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { DatabaseOptions } from "../db.ts";
import type { CliIo } from "../io.ts";
import { printDocument } from "../print.ts";

/** Prints what was applied. */
export async function migrateCommand(io: CliIo, options: DatabaseOptions): Promise<void> {
  const { store } = loadConfigFor(io, options.config).config.decisions;
  const stateDir = stateDirOf(io);
  const database =
    store.kind === "postgres"
      ? await openPostgres(store.url)
      : await openEmbedded(stateDir, { clock: systemClock });
  try {
    const applied = await migrate(database);
    if (options.output !== "table") return printDocument(io, options.output, { applied });
    for (const name of applied) io.out(name);
    io.err(applied.length === 0 ? "the schema is this version's" : `${applied.length} applied`);
  } finally {
    await database.close();
  }
}
