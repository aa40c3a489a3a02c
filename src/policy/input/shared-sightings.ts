/**
 * What a principal's conversation has seen, in Postgres, for gateways of several machines. A row is
 * one class, label or server, with the time it was last brought; what all rows of a principal say is
 * read before each of its decisions. A connection is opened with the first use, and anew after one
 * that failed.
 */
import type { Database, Row } from "../../database/database.ts";
import { openMigrated } from "../../database/open-migrated.ts";
import type { ConversationEntry } from "./sighting.ts";
import { isSighting } from "./sighting.ts";

/** Those of one principal. */
export interface SharedSightings {
  readonly read: () => Promise<readonly ConversationEntry[]>;
  /** Resolves once every other reader gets it. */
  readonly write: (entry: ConversationEntry) => Promise<void>;
}

/** Longer than anything is remembered, by clocks that need not agree. */
const keptMs = 24 * 60 * 60 * 1000;

/** `$1` principal. */
const selectSightings = `
SELECT sort, name, server, conversation, started_ms, at_ms
FROM mcp_gateway.conversation_sighting
WHERE principal = $1`;

/** `$1` principal, `$2` conversation, `$3` its start, `$4` now, `$5` to `$7` sorts, names, servers. */
const upsertSightings = `
INSERT INTO mcp_gateway.conversation_sighting AS kept
  (principal, sort, name, server, conversation, started_ms, at_ms)
SELECT $1, fresh.sort, fresh.name, fresh.server, $2, $3::bigint, $4::bigint
FROM unnest($5::text[], $6::text[], $7::text[]) AS fresh (sort, name, server)
ORDER BY fresh.sort, fresh.name, fresh.server
ON CONFLICT (principal, sort, name, server) DO UPDATE SET
  conversation = excluded.conversation,
  started_ms = excluded.started_ms,
  at_ms = greatest(kept.at_ms, excluded.at_ms)`;

/** `$1` principal, `$2` the time before which nothing is kept. */
const deleteForgotten = `
DELETE FROM mcp_gateway.conversation_sighting WHERE principal = $1 AND at_ms < $2::bigint`;

/** The table of all principals; it owns its connections. */
export class SightingTable {
  readonly #connect: () => Promise<Database>;
  #connection: Promise<Database> | undefined;

  /** `connect` opens a migrated database. */
  constructor(connect: () => Promise<Database>) {
    this.#connect = connect;
  }

  /** Those of the principal with this key. */
  of(principal: string): SharedSightings {
    return {
      read: async () => entriesOf(await (await this.#open()).query(selectSightings, [principal])),
      write: async ({ id, started, at, fresh }) => {
        const columns = [
          fresh.map(({ sort }) => sort),
          fresh.map(({ name }) => name),
          fresh.map(({ server }) => server),
        ];
        const database = await this.#open();
        await database.query(deleteForgotten, [principal, at - keptMs]);
        await database.query(upsertSightings, [principal, id, started, at, ...columns]);
      },
    };
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.then(
      (database) => database.close(),
      () => undefined,
    );
  }

  /** The pool mends broken connections by itself; what failed to open is opened anew. */
  async #open(): Promise<Database> {
    const opening = (this.#connection ??= this.#connect());
    try {
      return await opening;
    } catch (thrown) {
      if (this.#connection === opening) this.#connection = undefined;
      throw thrown;
    }
  }
}

/** Calls wait for it. */
const patience = { connectTimeoutMs: 2_000, queryTimeoutMs: 5_000 } as const;

/** The table in this database. */
export function openSightingTable(url: string): SightingTable {
  return new SightingTable(() => openMigrated(url, patience));
}

function entriesOf(rows: readonly Row[]): readonly ConversationEntry[] {
  return rows.map(({ sort, name, server, conversation, started_ms: started, at_ms: at }) => ({
    id: String(conversation),
    started: Number(started),
    at: Number(at),
    fresh: [{ sort, name, server }].filter(isSighting),
  }));
}
