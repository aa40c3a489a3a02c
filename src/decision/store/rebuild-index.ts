/**
 * Makes the embedded database anew from the spool, in a folder of its own, which takes the place of the
 * old one when it is whole. Headers whose segments were pruned are in the old one alone, and are taken
 * over where it can be read.
 */
import { rename, rm, stat } from "node:fs/promises";
import type { Clock, Log } from "../../contract/ambient.ts";
import type { Database, Queryable } from "../../database/database.ts";
import { migrate } from "../../database/migrate.ts";
import { embeddedFolder, openEmbeddedAt, withEmbeddedLock } from "../../database/pglite.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { spoolFolder } from "../spool/writer-folder.ts";
import { takeIn } from "./take-in.ts";

const pageRows = 500;
/** With the columns that say which row one is. */
const tables = {
  decision: "decision_id, kind",
  decision_payload: "decision_id, kind",
  shadow_difference: "decision_id",
  activation: "decision_id",
  approval_event: "decision_id",
  admin_action: "decision_id",
  prune_run: "pruned_at",
} as const;

export interface RebuildOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Works on it before it takes the place of the old one, such as pruning it again. */
  readonly finish: (database: Database) => Promise<void>;
}

export interface Rebuilt {
  readonly decisions: number;
  /** Rows that no segment has any more. */
  readonly carriedOver: number;
  /** Why the old database could not be read; then what only it had is gone. */
  readonly unread: string | undefined;
}

/** @throws DatabaseError `database_locked` where it is open elsewhere */
export async function rebuildIndex(options: RebuildOptions): Promise<Rebuilt> {
  const { stateDir, clock } = options;
  return await withEmbeddedLock(stateDir, { clock }, async () => {
    const folder = embeddedFolder(stateDir);
    const [fresh, old] = [`${folder}.new`, `${folder}.old`];
    // A command that was killed between the two renames has left the only one under this name.
    if (!(await exists(folder)) && (await exists(old))) await rename(old, folder);
    await rm(fresh, { recursive: true, force: true });
    const rebuilt = await makeAnew(options, fresh, folder);
    await rm(old, { recursive: true, force: true });
    if (await exists(folder)) await rename(folder, old);
    await rename(fresh, folder);
    await rm(old, { recursive: true, force: true });
    return rebuilt;
  });
}

async function makeAnew(
  { stateDir, clock, log, finish }: RebuildOptions,
  fresh: string,
  folder: string,
): Promise<Rebuilt> {
  const database = await openEmbeddedAt(fresh, async () => {});
  try {
    await migrate(database);
    await takeIn(database, { spool: spoolFolder(stateDir, "embedded"), clock, log });
    const taken = await carryOver(folder, database);
    await finish(database);
    const [row] = await database.query("SELECT count(*)::text AS count FROM decisions");
    return { decisions: Number(row?.["count"]), ...taken };
  } finally {
    await database.close();
  }
}

async function carryOver(folder: string, fresh: Database): Promise<Omit<Rebuilt, "decisions">> {
  if (!(await exists(folder))) return { carriedOver: 0, unread: undefined };
  let carriedOver = 0;
  try {
    const old = await openEmbeddedAt(folder, async () => {});
    try {
      await migrate(old);
      for (const [table, key] of Object.entries(tables)) {
        carriedOver += await carryTable(old, fresh, { table, key });
      }
    } finally {
      await old.close();
    }
    return { carriedOver, unread: undefined };
  } catch (thrown) {
    return { carriedOver, unread: messageOf(thrown) };
  }
}

/** Rows that are there already stay as the spool has them. */
async function carryTable(
  old: Queryable,
  fresh: Queryable,
  { table, key }: { readonly table: string; readonly key: string },
): Promise<number> {
  let carried = 0;
  for (let offset = 0; ; offset += pageRows) {
    const rows = await old.query(
      `SELECT to_jsonb(page)::text AS row FROM mcp_gateway.${table} AS page
       ORDER BY ${key} LIMIT ${pageRows} OFFSET ${offset}`,
    );
    if (rows.length === 0) return carried;
    const inserted = await fresh.query(
      `INSERT INTO mcp_gateway.${table}
       SELECT * FROM json_populate_recordset(null::mcp_gateway.${table}, $1::json)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [`[${rows.map(({ row }) => String(row)).join(",")}]`],
    );
    carried += inserted.length;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
}
