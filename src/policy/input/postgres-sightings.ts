/**
 * What conversations have seen and counted, in Postgres. A row is one class, label or server with the
 * time it was last brought, or one gateway's counts. What all rows of a conversation say is read
 * before each of its decisions, in one statement.
 */
import type { Database, Row } from "../../database/database.ts";
import { reopening } from "../../database/reopening.ts";
import type { SharedSightings, SightingStore } from "./shared-sightings.ts";
import { keptMs } from "./shared-sightings.ts";
import type { ConversationEntry, GatewayCounts } from "./sighting.ts";
import { isSighting } from "./sighting.ts";

/** `$1` principal, `$2` vouched conversation or nothing, `$3` whose sightings. */
const selectEntries = `
SELECT conversation, started_ms, at_ms, sort, name, server,
  NULL AS gateway, 0 AS turns, 0 AS tokens, 0 AS least_turns, 0 AS least_tokens
FROM mcp_gateway.conversation_sighting WHERE principal = $3
UNION ALL
SELECT conversation, started_ms, at_ms, NULL, NULL, NULL,
  gateway, turns, tokens, least_turns, least_tokens
FROM mcp_gateway.conversation_count WHERE principal = $1 AND vouched = $2`;

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

/**
 * `$1` principal, `$2` vouched conversation or nothing, `$3` gateway, `$4` conversation, `$5` its start,
 * `$6` now, `$7` to `$10` counts.
 */
const upsertCounts = `
INSERT INTO mcp_gateway.conversation_count
  (principal, vouched, gateway, conversation, started_ms, at_ms,
   turns, tokens, least_turns, least_tokens)
VALUES ($1, $2, $3, $4, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint)
ON CONFLICT (principal, vouched, gateway) DO UPDATE SET
  conversation = excluded.conversation, started_ms = excluded.started_ms, at_ms = excluded.at_ms,
  turns = excluded.turns, tokens = excluded.tokens,
  least_turns = excluded.least_turns, least_tokens = excluded.least_tokens`;

/** `$1` whose sightings, `$2` the time before which nothing is kept. */
const deleteSightings = `
DELETE FROM mcp_gateway.conversation_sighting WHERE principal = $1 AND at_ms < $2::bigint`;

/** `$1` principal, `$2` the time before which nothing is kept. Sightings of what is gone go with it. */
const deleteCounts = `
WITH gone AS (
  DELETE FROM mcp_gateway.conversation_count WHERE principal = $1 AND at_ms < $2::bigint
  RETURNING vouched)
DELETE FROM mcp_gateway.conversation_sighting
WHERE at_ms < $2::bigint AND principal IN (SELECT vouched FROM gone)`;

/** `$1` principal, `$2` since when. */
const countVouched = `
SELECT count(DISTINCT vouched) AS vouched FROM mcp_gateway.conversation_count
WHERE principal = $1 AND vouched <> '' AND at_ms >= $2::bigint`;

/** `connect` opens a migrated database. */
export function openPostgresSightings(connect: () => Promise<Database>): SightingStore {
  const { open, close } = reopening(connect);
  const query = async (text: string, parameters: readonly unknown[]): Promise<readonly Row[]> =>
    await (await open()).query(text, parameters);
  const write = async (principal: string, entry: ConversationEntry): Promise<void> => {
    if (entry.fresh.length > 0) {
      const owner = entry.of ?? principal;
      await query(deleteSightings, [owner, entry.at - keptMs]);
      await query(upsertSightings, [owner, ...sightingColumns(entry)]);
    }
    if (entry.counted === undefined) return;
    await query(deleteCounts, [principal, entry.at - keptMs]);
    await query(upsertCounts, [principal, entry.of ?? "", ...countColumns(entry, entry.counted)]);
  };

  return {
    of: (principal): SharedSightings => ({
      read: async (of) => {
        const rows = await query(selectEntries, [principal, of ?? "", of ?? principal]);
        return rows.map((row) => entryOf(row, of));
      },
      write: async (entries) => {
        for (const entry of entries) await write(principal, entry);
      },
      countVouched: async (sinceMs) => {
        const [row] = await query(countVouched, [principal, sinceMs]);
        return Number(row?.["vouched"] ?? 0);
      },
    }),
    close,
  };
}

function sightingColumns({ id, started, at, fresh }: ConversationEntry): readonly unknown[] {
  return [
    id,
    started,
    at,
    fresh.map(({ sort }) => sort),
    fresh.map(({ name }) => name),
    fresh.map(({ server }) => server),
  ];
}

function countColumns(
  { id, started, at }: ConversationEntry,
  { by, turns, tokens, least }: GatewayCounts,
): readonly unknown[] {
  return [by, id, started, at, turns, tokens, least.turns, least.tokens];
}

function entryOf(row: Row, of: string | undefined): ConversationEntry {
  const { sort, name, server, gateway, conversation, started_ms: started, at_ms: at } = row;
  return {
    of,
    id: String(conversation),
    started: Number(started),
    at: Number(at),
    fresh: [{ sort, name, server }].filter(isSighting),
    counted: typeof gateway === "string" ? countsOf(gateway, row) : undefined,
  };
}

function countsOf(by: string, row: Row): GatewayCounts {
  const least = { turns: Number(row["least_turns"]), tokens: Number(row["least_tokens"]) };
  return { by, turns: Number(row["turns"]), tokens: Number(row["tokens"]), least };
}
