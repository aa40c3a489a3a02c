/**
 * Blocks in Postgres, where all replicas see them. One small query says whether anything changed.
 */
import * as z from "zod/mini";
import type { Database } from "../../database/database.ts";
import { openMigrated } from "../../database/open-migrated.ts";
import type { PostgresOptions } from "../../database/postgres.ts";
import { blockKinds } from "./block.ts";
import type { BlockStore } from "./block-store.ts";

/** `$1` tenant, `$2` the revision that is known; a null list where that is the newest. */
const selectBlocks = `
WITH newest AS (
  SELECT coalesce(
    (SELECT revision FROM mcp_gateway.block_revision WHERE tenant = $1), 0
  )::text AS revision
)
SELECT json_build_object(
  'revision', revision,
  'blocks', CASE WHEN revision IS DISTINCT FROM $2::text THEN (
    SELECT coalesce(json_agg(json_build_object(
      'kind', kind, 'id', id, 'by', blocked_by, 'reason', reason,
      'at', to_char(blocked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    ) ORDER BY blocked_at), '[]'::json)
    FROM mcp_gateway.block WHERE tenant = $1
  ) END
) AS item
FROM newest`;

/** `$1` tenant, `$2` kind, `$3` id, `$4` by, `$5` at, `$6` reason; a row where it was not there. */
const insertBlock = `
WITH added AS (
  INSERT INTO mcp_gateway.block (tenant, kind, id, blocked_by, blocked_at, reason)
  VALUES ($1, $2, $3, $4, $5::timestamptz, $6)
  ON CONFLICT DO NOTHING
  RETURNING tenant
)
INSERT INTO mcp_gateway.block_revision (tenant, revision)
SELECT tenant, 1 FROM added
ON CONFLICT (tenant) DO UPDATE SET revision = block_revision.revision + 1
RETURNING revision::text`;

/** `$1` tenant, `$2` kind, `$3` id; a row where it was there. */
const deleteBlock = `
WITH removed AS (
  DELETE FROM mcp_gateway.block WHERE tenant = $1 AND kind = $2 AND id = $3
  RETURNING tenant
)
INSERT INTO mcp_gateway.block_revision (tenant, revision)
SELECT tenant, 1 FROM removed
ON CONFLICT (tenant) DO UPDATE SET revision = block_revision.revision + 1
RETURNING revision::text`;

const readingSchema = z.object({
  revision: z.string(),
  blocks: z.nullable(
    z.array(
      z.object({
        kind: z.enum(blockKinds),
        id: z.string(),
        by: z.string(),
        at: z.string(),
        reason: z.nullable(z.string()),
      }),
    ),
  ),
});

export interface BlockTablePlace {
  readonly url: string;
  readonly tenant: string;
  readonly options?: PostgresOptions;
}

/** Connects with the first use, and anew after each failure: a connection may hang for long. */
export function openBlockTable({ url, tenant, options }: BlockTablePlace): BlockStore {
  let opened: Promise<Database> | undefined;
  const use = async <Result>(work: (database: Database) => Promise<Result>): Promise<Result> => {
    const own = (opened ??= openMigrated(url, options));
    try {
      return await work(await own);
    } catch (thrown) {
      if (opened === own) opened = undefined;
      void closeQuietly(own);
      throw thrown;
    }
  };
  return {
    scope: "everywhere",
    read: async (since) => {
      const [row] = await use((database) => database.query(selectBlocks, [tenant, since ?? null]));
      const { revision, blocks } = readingSchema.parse(row?.["item"]);
      return { revision, blocks: blocks ?? undefined };
    },
    add: async ({ kind, id, by, at, reason }) => {
      const values = [tenant, kind, id, by, at, reason];
      return (await use((database) => database.query(insertBlock, values))).length > 0;
    },
    remove: async ({ kind, id }) =>
      (await use((database) => database.query(deleteBlock, [tenant, kind, id]))).length > 0,
    close: async () => {
      const own = opened;
      opened = undefined;
      if (own !== undefined) await closeQuietly(own);
    },
  };
}

async function closeQuietly(opened: Promise<Database>): Promise<void> {
  try {
    await (await opened).close();
  } catch {
    // It never was open, or is gone already.
  }
}
