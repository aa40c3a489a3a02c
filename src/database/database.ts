/**
 * What the product asks of a database: SQL text with parameters, and transactions. Two drivers
 * stand behind it, `pg` and PGlite, and both get the same SQL. Rows are unknown until their reader
 * has checked them; a statement's error keeps the driver's SQLSTATE as its `code`.
 */
import { GatewayError } from "../errors.ts";

export type DatabaseErrorCode =
  /** No connection, wrong credentials, or no such database. */
  | "database_unreachable"
  /** Another process has the embedded database open. */
  | "database_locked"
  /** The embedded database's files cannot be opened. */
  | "database_unusable"
  /** The database was migrated by a newer version. */
  | "database_newer"
  /** A migration that was applied differs from the one this version ships. */
  | "migration_changed"
  /** The database's encoding is not UTF-8. */
  | "database_encoding";

/** Thrown when opening or migrating; never holds the URL or its password. */
export class DatabaseError extends GatewayError<DatabaseErrorCode> {}

export type Row = Readonly<Record<string, unknown>>;

export interface Queryable {
  /** One statement with `$1` parameters. */
  readonly query: (text: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>;
  /** Several statements without parameters. */
  readonly script: (text: string) => Promise<void>;
}

export interface Database extends Queryable {
  /** Commits when `work` resolves, rolls back when it throws. */
  readonly transaction: <Result>(work: (inside: Queryable) => Promise<Result>) => Promise<Result>;
  readonly close: () => Promise<void>;
}
