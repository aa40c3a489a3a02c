/**
 * Whether the clock of this machine can be believed with what is removed by it. One that jumps ahead
 * makes everything old: it is compared with the monotonic clock, which nobody sets, and with that of
 * the database, where there is one.
 */
import type { Clock } from "../../contract/ambient.ts";
import type { Queryable } from "../../database/database.ts";
import { dayMs } from "../store/partitions.ts";

const selectTime = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms";

/** Returns how to ask how far the clock was set since; `undefined` within a day. */
export function watchClock({ nowMs, monotonicMs }: Clock): () => number | undefined {
  const beganMs = nowMs() - monotonicMs();
  return () => doubtful(nowMs() - monotonicMs() - beganMs);
}

/** How far a time is ahead of the database's; `undefined` within a day. */
export async function aheadOfDatabase(
  database: Queryable,
  nowMs: number,
): Promise<number | undefined> {
  const [row] = await database.query(selectTime);
  return doubtful(nowMs - Number(row?.["now_ms"]));
}

/** What cannot be told is in doubt. */
function doubtful(apartMs: number): number | undefined {
  return Math.abs(apartMs) <= dayMs ? undefined : apartMs;
}
