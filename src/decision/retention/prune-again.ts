/**
 * Removes from an index that was made anew what had been pruned from the one before: segments of the
 * spool stay while anything in them is younger, and bring it back.
 */
import type { Log } from "../../contract/ambient.ts";
import type { Database } from "../../database/database.ts";
import { holdsOf } from "./hold-store.ts";
import { pruneStore } from "./prune-store.ts";

const selectCutoffs = `
SELECT (extract(epoch FROM max(payload_before)) * 1000)::float8 AS payload_before_ms,
  (extract(epoch FROM max(header_before)) * 1000)::float8 AS header_before_ms
FROM mcp_gateway.prune_run`;

/** What is held stays; what was removed of the chains is stated already. */
export async function pruneAgain(
  database: Database,
  { stateDir, log }: { readonly stateDir: string; readonly log: Log },
): Promise<void> {
  const [row] = await database.query(selectCutoffs);
  const msOf = (name: string): number | undefined => Number(row?.[name] ?? 0) || undefined;
  const payloadBeforeMs = msOf("payload_before_ms");
  const headerBeforeMs = msOf("header_before_ms");
  if (payloadBeforeMs === undefined && headerBeforeMs === undefined) return;
  const cutoffs = { payloadBeforeMs, headerBeforeMs };
  const holds = (): ReturnType<typeof holdsOf> => holdsOf(stateDir);
  const about = { prove: undefined, by: "rebuild", isDryRun: false, log } as const;
  await pruneStore(database, { cutoffs, holds, ...about });
}
