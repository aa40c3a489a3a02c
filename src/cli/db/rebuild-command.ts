/**
 * `db rebuild`: makes the embedded database anew. In Postgres the rows are the record, and nothing
 * could make them anew.
 */
import { systemClock } from "../../config/ambient.ts";
import type { Database } from "../../database/database.ts";
import { DecisionError } from "../../decision/decision-error.ts";
import { pruneAgain } from "../../decision/retention/prune-again.ts";
import { rebuildIndex } from "../../decision/store/rebuild-index.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { DatabaseOptions } from "../db.ts";
import type { CliIo } from "../io.ts";
import { printDocument } from "../print.ts";
import { talkingLog } from "../talking-log.ts";

/** Prints how many decisions are there afterwards. */
export async function rebuildCommand(io: CliIo, options: DatabaseOptions): Promise<void> {
  const { store } = loadConfigFor(io, options.config).config.decisions;
  if (store.kind === "postgres") throw refused();
  const log = talkingLog(io);
  const stateDir = stateDirOf(io);
  const finish = (database: Database): Promise<void> => pruneAgain(database, { stateDir, log });
  const rebuilt = await rebuildIndex({ stateDir, clock: systemClock, log, finish });
  const { decisions, carriedOver, unread } = rebuilt;
  if (unread !== undefined) {
    io.err(
      `note: the old database could not be read (${unread}); headers of pruned segments are gone`,
    );
  }
  if (options.output !== "table") {
    const document = { decisions, carried_over: carriedOver, unread: unread ?? null };
    return printDocument(io, options.output, document);
  }
  io.out(`${decisions} decisions; ${carriedOver} rows only the old database had`);
}

function refused(): DecisionError {
  return new DecisionError(
    "rebuild_refused",
    "expected the embedded store, found decisions.store in postgres, where the rows are the record: restore a backup; what was not shipped by then comes from the spool by itself",
  );
}
