/**
 * One connection to PostgreSQL that waits for notifications of a channel. Apart from `postgres.ts`,
 * whose pool gives each query any connection, and LISTEN belongs to one.
 */
import { messageOf } from "../errors.ts";
import { DatabaseError } from "./database.ts";

export interface Listening {
  /** Resolves once the connection has ended, whatever ended it. */
  readonly ended: Promise<void>;
  readonly close: () => Promise<void>;
}

const connectTimeoutMs = 5_000;

/**
 * Calls `heard` for each notification until it is closed or the connection ends. What a notification
 * says is not passed on: whoever can connect can send one.
 *
 * @param channel - a name of ours: letters and `_`
 * @throws DatabaseError `database_unreachable`
 */
export async function listenPostgres(
  url: string,
  channel: string,
  heard: () => void,
): Promise<Listening> {
  const { default: driver } = await import("pg");
  const client = new driver.Client({
    connectionString: url,
    application_name: "mcp-gateway",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  });
  const ended = new Promise<void>((resolve) => {
    client.once("end", () => resolve());
    client.on("error", () => resolve());
  });
  client.on("notification", heard);
  try {
    await client.connect();
    await client.query(`LISTEN ${channel}`);
  } catch (thrown) {
    await client.end().catch(() => undefined);
    const message = `expected to listen at the postgres server of decisions.store, found: ${messageOf(thrown)}`;
    throw new DatabaseError("database_unreachable", message, { cause: thrown });
  }
  return { ended, close: () => client.end().catch(() => undefined) };
}
