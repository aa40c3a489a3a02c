/**
 * Makes day partitions: ahead, so that no batch waits for one at midnight, and those that a batch needs
 * all the same before it is inserted. Making one is idempotent; where it cannot be made, the default
 * partition takes the rows.
 */
import type { Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { messageOf } from "../../errors.ts";
import { lowestUuid, timeOfUuid } from "./uuid-time.ts";

export const dayMs = 24 * 60 * 60_000;
/** A batch of one spool spans a day or two; more come from broken clocks and go to the default. */
const maxDaysAtOnce = 8;
/** A gateway that cannot reach the database over a weekend finds its days there. */
const daysAhead = 3;

/** Two shippers that make the same partition would fail on the catalogue's unique index. */
const lockPartitions = "SELECT pg_advisory_xact_lock(4907211855306215)";

/** Remembers, per connection, which days are there. */
export class Partitions {
  readonly #database: Database;
  readonly #log: Log;
  readonly #known = new Set<number>();

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** Makes the partitions of these ids' days where they are not known to be there. */
  async ensureFor(ids: readonly string[]): Promise<void> {
    const days = new Set(ids.map((id) => Math.floor(timeOfUuid(id) / dayMs)));
    const missing = [...days].filter((day) => !this.#known.has(day)).slice(0, maxDaysAtOnce);
    for (const day of missing) await this.#make(day);
  }

  /** Makes those of today and of the days after it; call it now and then, off the path of a batch. */
  async makeAhead(nowMs: number): Promise<void> {
    const today = Math.floor(nowMs / dayMs);
    for (let day = today; day <= today + daysAhead; day += 1) {
      if (!this.#known.has(day)) await this.#make(day);
    }
  }

  async #make(day: number): Promise<void> {
    this.#known.add(day);
    try {
      await this.#database.script(makeDay(day));
    } catch (thrown) {
      const found = { day: dayName(day), reason: messageOf(thrown) };
      this.#log.warn(found, "decision partition not made, rows go to the default partition");
    }
  }
}

/**
 * One transaction in one message: a connection that breaks in the middle, or a client that stops
 * there, holds no table.
 */
function makeDay(day: number): string {
  const tables = ["decision", "decision_payload", "shadow_difference"] as const;
  return [lockPartitions, ...tables.map((table) => createPartition(table, day))].join(";\n");
}

/** Only names and bounds that are made from a number here; nothing of a record. */
function createPartition(table: string, day: number): string {
  const [from, to] = [lowestUuid(day * dayMs), lowestUuid((day + 1) * dayMs)];
  return `CREATE TABLE IF NOT EXISTS mcp_gateway.${table}_${dayName(day)}
    PARTITION OF mcp_gateway.${table} FOR VALUES FROM ('${from}') TO ('${to}')`;
}

function dayName(day: number): string {
  const date = new Date(day * dayMs);
  return Number.isNaN(date.getTime())
    ? `day${day}`
    : date.toISOString().slice(0, 10).replaceAll("-", "");
}
