/**
 * How decisions went over a time: how many of which kind, how long they took, for which reasons, and
 * what each layer took. The store counts; nothing of a call leaves it.
 */
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";
import { lowestUuid } from "./uuid-time.ts";

/** Ids and records are made at nearly the same time. */
const idSlackMs = 60 * 60_000;

export const statsGroups = ["tool", "server", "agent", "reason"] as const;
export type StatsGroup = (typeof statsGroups)[number];

/** What is counted under one name; a decision with several reasons counts for each. */
const groupNames: Readonly<Record<StatsGroup, string>> = {
  tool: "a.server || '/' || coalesce(a.tool, a.exposed_name)",
  server: "a.server",
  agent: "a.agent",
  reason: "unnest(CASE WHEN a.effect = 'allow' THEN NULL ELSE a.reasons END)",
};

const counted = (column: string): string =>
  `percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY ${column})`;

/**
 * `$1` lowest id, `$2` earliest time. The bound on the id stands on both sides of each join: the
 * planner does not carry it over, and would read the partitions of all days.
 */
const statement = (name: string): string => `
SELECT json_build_object(
  'name', name,
  'decisions', count(*),
  'denied', count(*) FILTER (WHERE effect = 'deny' AND enforced),
  'held', count(*) FILTER (WHERE effect = 'hold' AND enforced),
  'observed', count(*) FILTER (WHERE effect <> 'allow' AND NOT enforced),
  'policy_ms', ${counted("policy_ms")},
  'decide_ms', ${counted("total_ms")},
  'call_ms', ${counted("latency_ms")}
) AS item
FROM (
  SELECT ${name} AS name, a.effect, a.enforced, a.policy_ms, a.total_ms, o.latency_ms
  FROM mcp_gateway.decision a
  LEFT JOIN mcp_gateway.decision o
    ON o.decision_id = a.decision_id AND o.kind = 'outcome' AND o.decision_id >= $1::uuid
  WHERE a.kind = 'admission' AND a.decision_id >= $1::uuid AND a.recorded_at >= $2::timestamptz
) AS found
GROUP BY name
ORDER BY count(*) DESC, name
LIMIT 20`;

/** The same of layers; looks at whole records, so that a long time takes its time. */
const selectLayers = `
SELECT json_build_object(
  'name', name, 'decisions', count(*), 'failed', count(*) FILTER (WHERE is_failed),
  'eval_ms', ${counted("eval_ns / 1e6")}
) AS item
FROM (
  SELECT
    layer.value ->> 'name' AS name,
    layer.value ? 'error' AS is_failed,
    (layer.value ->> 'eval_ns')::double precision AS eval_ns
  FROM mcp_gateway.decision d
  JOIN mcp_gateway.decision_payload p
    ON p.decision_id = d.decision_id AND p.kind = d.kind AND p.decision_id >= $1::uuid
  CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(p.document -> 'layers') = 'array' THEN p.document -> 'layers' END
  ) AS layer(value)
  WHERE d.kind = 'admission' AND d.decision_id >= $1::uuid AND d.recorded_at >= $2::timestamptz
) AS seen
WHERE name IS NOT NULL
GROUP BY name
ORDER BY name
LIMIT 100`;

/** 50th, 90th and 99th percentile in milliseconds; `null` where nothing was measured. */
const percentiles = z
  .array(z.number())
  .nullable()
  .transform((found) => {
    const [p50 = null, p90 = null, p99 = null] = found ?? [];
    return { p50, p90, p99 };
  });

const groupSchema = z.object({
  name: z.string().nullable(),
  decisions: z.number(),
  denied: z.number(),
  held: z.number(),
  observed: z.number(),
  policy_ms: percentiles,
  decide_ms: percentiles,
  call_ms: percentiles,
});

const layerSchema = z.object({
  name: z.string(),
  decisions: z.number(),
  failed: z.number(),
  eval_ms: percentiles,
});

export type Percentiles = z.output<typeof percentiles>;
export type GroupStats = z.output<typeof groupSchema>;
export type LayerStats = z.output<typeof layerSchema>;

/** As it is printed; snake_case. */
export interface DecisionStats {
  /** RFC 3339. */
  readonly since: string;
  /** `undefined` where nothing was decided. */
  readonly all: Omit<GroupStats, "name"> & { readonly denied_share: number };
  readonly reasons: readonly { readonly code: string; readonly count: number }[];
  readonly layers: readonly LayerStats[];
  /** The twenty with the most decisions; absent where nothing was asked for. */
  readonly groups?: readonly GroupStats[];
}

/** Statistics of everything since then. */
export async function decisionStats(
  store: Queryable,
  { sinceMs, by }: { readonly sinceMs: number; readonly by: StatsGroup | undefined },
): Promise<DecisionStats> {
  const since = new Date(sinceMs).toISOString();
  const bounds = [lowestUuid(Math.max(0, sinceMs - idSlackMs)), since];
  const ask = async (name: string): Promise<readonly GroupStats[]> =>
    (await store.query(statement(name), bounds)).map((row) => groupSchema.parse(row["item"]));
  const [found = nothing] = await ask("''::text");
  const { name: _, ...all } = found;
  const reasons = await ask(groupNames.reason);
  const layers = (await store.query(selectLayers, bounds)).map((row) =>
    layerSchema.parse(row["item"]),
  );
  return {
    since,
    all: { ...all, denied_share: all.decisions === 0 ? 0 : all.denied / all.decisions },
    reasons: named(reasons).map(({ name: code, decisions: count }) => ({ code, count })),
    layers,
    ...(by === undefined ? {} : { groups: by === "reason" ? reasons : await ask(groupNames[by]) }),
  };
}

const unmeasured: Percentiles = { p50: null, p90: null, p99: null };
const nothing: GroupStats = {
  name: null,
  decisions: 0,
  denied: 0,
  held: 0,
  observed: 0,
  policy_ms: unmeasured,
  decide_ms: unmeasured,
  call_ms: unmeasured,
};

function named(groups: readonly GroupStats[]) {
  return groups.flatMap(({ name, ...rest }) => (name === null ? [] : [{ name, ...rest }]));
}
