/**
 * Waivers as decisions have seen them: what the overrides layers offered, what lifted a denial, and
 * when that was last so. Looks at whole records, so that a long time takes its time.
 */
import * as z from "zod";
import type { Queryable } from "../../database/database.ts";
import { lowestUuid } from "./uuid-time.ts";

const idSlackMs = 60 * 60_000;

const utc = (value: string): string =>
  `to_char(${value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * `$1` lowest id, `$2` earliest time. A waiver is the same one as long as nothing of it changes;
 * a record that jsonb cannot hold has no document and is not looked at.
 */
const selectWaivers = `
SELECT json_build_object(
  'layer', layer, 'waiver', waiver,
  'last_offered', ${utc("max(decided_at)")}, 'digests', json_agg(DISTINCT digest),
  'uses', count(*) FILTER (WHERE is_used), 'last_used', ${utc("max(decided_at) FILTER (WHERE is_used)")}
) AS item
FROM (
  SELECT
    layer.value ->> 'name' AS layer,
    layer.value ->> 'digest' AS digest,
    waiver.value AS waiver,
    d.recorded_at AS decided_at,
    coalesce(p.document #> '{waivers,used}' @> jsonb_build_array(waiver.value), false) AS is_used
  FROM mcp_gateway.decision d
  JOIN mcp_gateway.decision_payload p ON p.decision_id = d.decision_id AND p.kind = d.kind
  CROSS JOIN LATERAL jsonb_path_query(p.document, '$.layers[*] ? (exists (@.waive))') AS layer(value)
  CROSS JOIN LATERAL jsonb_path_query(layer.value, '$.waive[*]') AS waiver(value)
  WHERE d.kind = 'admission' AND d.decision_id >= $1::uuid AND d.recorded_at >= $2::timestamptz
) AS seen
GROUP BY layer, waiver`;

const text = z.optional(z.string());

const seenSchema = z.object({
  layer: z.string(),
  waiver: z.object({
    bundle: z.string(),
    rule: z.string(),
    justification: z.string(),
    expires: z.string(),
    ticket: text,
    problem: text,
  }),
  last_offered: z.string(),
  /** Of the bundles that offered it. */
  digests: z.array(z.nullable(z.string())),
  uses: z.number(),
  last_used: z.string().nullable(),
});

/** One waiver and what became of it. */
export type SeenWaiver = z.output<typeof seenSchema>;

/** Every waiver that a decision since then has met. */
export async function listWaivers(
  database: Queryable,
  sinceMs: number,
): Promise<readonly SeenWaiver[]> {
  const rows = await database.query(selectWaivers, [
    lowestUuid(sinceMs - idSlackMs),
    new Date(sinceMs).toISOString(),
  ]);
  return rows.map((row) => seenSchema.parse(row["item"]));
}
