/**
 * One command's look into the store of decisions. A Postgres that goes away in the middle is said
 * as one that was away from the beginning: `database_unreachable`.
 */
import { systemClock } from "../../config/ambient.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { DatabaseError } from "../../database/database.ts";
import { openStore } from "../../decision/store/open-store.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { loadConfigFor, stateDirOf } from "../common-options.ts";
import type { CliIo } from "../io.ts";
import { openLog } from "../open-log.ts";

/** Opens the store that the configuration names, reads, and closes it. */
export async function withStore<Result>(
  io: CliIo,
  configPath: string | undefined,
  read: (store: Queryable) => Promise<Result>,
): Promise<Result> {
  const { store } = loadConfigFor(io, configPath).config.decisions;
  const database = await openStore({
    store,
    stateDir: stateDirOf(io),
    clock: systemClock,
    log: openLog(io, "warn").log,
  });
  try {
    return await read(store.kind === "postgres" ? saysWhenLost(database) : database);
  } finally {
    await database.close();
  }
}

function saysWhenLost(database: Database): Queryable {
  return {
    script: database.script,
    query: async (text, parameters) => {
      try {
        return await database.query(text, parameters);
      } catch (thrown) {
        throw isAnswer(codeOf(thrown)) ? thrown : lost(thrown);
      }
    },
  };
}

/**
 * True for an SQLSTATE, which a server that is there answers with; not for those of a connection
 * that ends (class 08) or a server that shuts down (57P), and not for `EPIPE`.
 */
function isAnswer(code: string | undefined): boolean {
  return code !== undefined && /^(?!08|57P|E)[0-9A-Z]{5}$/.test(code);
}

function lost(thrown: unknown): DatabaseError {
  return new DatabaseError(
    "database_unreachable",
    `expected an answer of the postgres server of decisions.store, found: ${messageOf(thrown)}; see whether it runs and try again`,
    { cause: thrown },
  );
}
