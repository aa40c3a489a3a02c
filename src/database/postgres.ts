/**
 * PostgreSQL behind the `Database` interface. `pg` is imported with the first connection, so that a
 * gateway pays for it only when it ships. Every wait has an end: connecting, and each query.
 */
import type { Pool, PoolClient } from "pg";
import { isRecord } from "../contract/json.ts";
import { codeOf, messageOf } from "../errors.ts";
import { DatabaseError } from "./database.ts";
import type { Database, Queryable, Row } from "./database.ts";

export interface PostgresOptions {
  readonly connectTimeoutMs?: number;
  readonly queryTimeoutMs?: number;
}

/** Connects once to prove that the server answers; throws `database_unreachable`. */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
  const place = describePlace(url);
  const { default: driver } = await import("pg");
  const pool = new driver.Pool({
    connectionString: url,
    application_name: "mcp-gateway",
    max: 2,
    allowExitOnIdle: true,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    query_timeout: options.queryTimeoutMs ?? 30_000,
  });
  // A connection that breaks while idle is replaced by the next query; without a listener it would
  // end the process.
  pool.on("error", () => undefined);
  // The same for one that breaks between two statements of a transaction: the next one fails.
  pool.on("connect", (client) => client.on("error", () => undefined));
  try {
    await pool.query("SELECT 1");
  } catch (thrown) {
    await pool.end().catch(() => undefined);
    throw new DatabaseError("database_unreachable", unreachable(place, thrown), { cause: thrown });
  }
  return databaseOf(pool);
}

function databaseOf(pool: Pool): Database {
  return {
    ...queryableOf(pool),
    transaction: async (work) => {
      const client = await pool.connect();
      let broken = false;
      try {
        return await transact(client, work);
      } catch (thrown) {
        broken = !isServerAnswer(thrown);
        throw thrown;
      } finally {
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

/** True for an error that the server itself sent: its connection is as good as before. */
function isServerAnswer(thrown: unknown): boolean {
  return isRecord(thrown) && typeof thrown["severity"] === "string";
}

async function transact<Result>(
  client: PoolClient,
  work: (inside: Queryable) => Promise<Result>,
): Promise<Result> {
  await client.query("BEGIN");
  try {
    const result = await work(queryableOf(client));
    await client.query("COMMIT");
    return result;
  } catch (thrown) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw thrown;
  }
}

function queryableOf(connection: Pool | PoolClient): Queryable {
  return {
    query: async (text, parameters = []) => {
      const result = await connection.query<Row>(text, [...parameters]);
      return result.rows;
    },
    script: async (text) => {
      await connection.query(text);
    },
  };
}

/** Host, port and database of a URL; never its user or password. */
function describePlace(url: string): string {
  try {
    const { protocol, hostname, port, pathname } = new URL(url);
    if (protocol !== "postgres:" && protocol !== "postgresql:") throw new TypeError("scheme");
    return `${hostname}:${port === "" ? "5432" : port}${pathname}`;
  } catch (thrown) {
    throw new DatabaseError(
      "database_unreachable",
      'expected decisions.store to be "embedded" or postgres://user:password@host:port/database, found something else',
      { cause: thrown },
    );
  }
}

function unreachable(place: string, thrown: unknown): string {
  const reason = messageOf(thrown) === "" ? codeOf(thrown) : messageOf(thrown);
  return `expected a postgres server at ${place} (decisions.store), found: ${reason}; start it or correct decisions.store`;
}
