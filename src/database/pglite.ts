/**
 * The embedded database: PGlite in process, in the state folder, under a process lock, because
 * opening one folder twice does not fail but destroys it. PGlite never syncs its files: what it
 * holds must be found again somewhere else, and it is an index only.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { PGlite, Transaction } from "@electric-sql/pglite";
import type { Clock } from "../contract/ambient.ts";
import { messageOf } from "../errors.ts";
import { DatabaseError } from "./database.ts";
import type { Database, Queryable, Row } from "./database.ts";
import { acquireProcessLock } from "./process-lock.ts";
import type { ProcessLock } from "./process-lock.ts";

export interface EmbeddedOptions {
  readonly clock: Clock;
  /** How long to wait for another process to close it; 5 s. */
  readonly waitMs?: number;
}

/** Folder of the embedded database. */
export function embeddedFolder(stateDir: string): string {
  return join(stateDir, "embedded");
}

/** Opens it, creating it when it is missing; throws `database_locked` and `database_unusable`. */
export async function openEmbedded(stateDir: string, options: EmbeddedOptions): Promise<Database> {
  const lock = await takeLock(stateDir, options);
  try {
    return await openEmbeddedAt(embeddedFolder(stateDir), lock.release);
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

/**
 * Works while nobody has the embedded database open, or changes what its lock protects.
 *
 * @throws DatabaseError `database_locked`
 */
export async function withEmbeddedLock<Result>(
  stateDir: string,
  options: EmbeddedOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const lock = await takeLock(stateDir, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/**
 * Opens a database in a folder, for who has the lock; `released` is called behind `close`.
 *
 * @throws DatabaseError `database_unusable`
 */
export async function openEmbeddedAt(
  folder: string,
  released: () => Promise<void>,
): Promise<Database> {
  try {
    return databaseOf(await openPglite(folder), released);
  } catch (thrown) {
    const message = unusable(folder, messageOf(thrown));
    throw new DatabaseError("database_unusable", message, { cause: thrown });
  }
}

async function takeLock(stateDir: string, options: EmbeddedOptions): Promise<ProcessLock> {
  const attempt = await acquireProcessLock(join(stateDir, "embedded.lock"), {
    clock: options.clock,
    waitMs: options.waitMs ?? 5_000,
  });
  if (attempt.ok) return attempt.lock;
  const message = locked(embeddedFolder(stateDir), attempt.holder.pid);
  throw new DatabaseError("database_locked", message);
}

async function openPglite(folder: string): Promise<PGlite> {
  const { PGlite: Embedded } = await import("@electric-sql/pglite");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return Embedded.create({ dataDir: folder });
}

function databaseOf(database: PGlite, release: () => Promise<void>): Database {
  return {
    ...queryableOf(database),
    transaction: (work) => database.transaction((inside) => work(queryableOf(inside))),
    close: async () => {
      await database.close();
      await release();
    },
  };
}

function queryableOf(connection: PGlite | Transaction): Queryable {
  return {
    query: async (text, parameters = []) => {
      const result = await connection.query<Row>(text, [...parameters]);
      return result.rows;
    },
    script: async (text) => {
      await connection.exec(text);
    },
  };
}

function locked(folder: string, pid: number): string {
  return `expected to open the embedded database ${folder}, found it open in process ${pid}; try again when that command has ended`;
}

function unusable(folder: string, reason: string): string {
  return `expected to open the embedded database ${folder}, found: ${reason}; remove that folder, the next command makes it anew from the spool`;
}
