/**
 * The statements of pruning. Each is about one partition of each table, named by its ending: a day, or
 * `default`. Names are made here, of digits and constants only.
 */

/** Pruning, and changing holds, are one at a time. */
export const lockRetention = "SELECT pg_advisory_xact_lock(4907211855306216)";

/** Whoever waits for a table holds up those behind it. */
export const limitLockWait = "SET LOCAL lock_timeout = '5s'";

/** The partitions that are there, by table and ending. */
export const selectPartitions = `
SELECT parent.relname AS parent, child.relname AS name
FROM pg_inherits
JOIN pg_class child ON child.oid = pg_inherits.inhrelid
JOIN pg_class parent ON parent.oid = pg_inherits.inhparent
JOIN pg_namespace space ON space.oid = parent.relnamespace
WHERE space.nspname = 'mcp_gateway'
  AND parent.relname IN ('decision', 'decision_payload', 'shadow_difference')`;

/** Tables with a partition for each day. */
export type DayTable = "decision" | "decision_payload" | "shadow_difference";

/** A partition of one of them. */
export function partitionOf(table: DayTable, ending: string): string {
  if (!/^(?:\d{8}|default)$/.test(ending)) throw new TypeError(`no partition: ${ending}`);
  return `mcp_gateway.${table}_${ending}`;
}

/** Late rows wait until it is decided what goes. */
export function lockPartition(name: string): string {
  return `LOCK TABLE ${name} IN SHARE ROW EXCLUSIVE MODE`;
}

/**
 * `$1` lowest id, `$2` id behind the highest, `$3` holds. What is not known of a decision, because its
 * admission is not there, counts as held.
 */
const heldIds = `
  SELECT DISTINCT found.decision_id
  FROM (
    SELECT decision_id FROM mcp_gateway.decision
    WHERE decision_id >= $1::uuid AND decision_id < $2::uuid
    UNION SELECT decision_id FROM mcp_gateway.decision_payload
    WHERE decision_id >= $1::uuid AND decision_id < $2::uuid
  ) AS found
  LEFT JOIN mcp_gateway.decision a ON a.decision_id = found.decision_id AND a.kind = 'admission'
  JOIN hold ON (hold.decision_ids IS NULL OR found.decision_id::text IN
      (SELECT json_array_elements_text(hold.decision_ids)))
    AND coalesce(a.tenant = hold.tenant, true)
    AND coalesce(a.agent = hold.agent, true)
    AND coalesce(a.user_id = hold.user_id, true)
    AND coalesce(a.server = hold.server, true)
    AND coalesce(a.recorded_at >= hold.from_at, true)
    AND coalesce(a.recorded_at < hold.until_at, true)
  UNION
  SELECT s.decision_id
  FROM mcp_gateway.shadow_difference s
  JOIN hold ON (hold.decision_ids IS NULL OR s.for_decision_id IN
      (SELECT json_array_elements_text(hold.decision_ids)))
    AND coalesce(s.tenant = hold.tenant, true)
    AND coalesce(s.agent = hold.agent, true)
    AND coalesce(s.user_id = hold.user_id, true)
    AND coalesce(s.server = hold.server, true)
    AND coalesce(s.recorded_at >= hold.from_at, true)
    AND coalesce(s.recorded_at < hold.until_at, true)
  WHERE s.decision_id >= $1::uuid AND s.decision_id < $2::uuid`;

const holdRows = (parameter: string): string => `hold AS (
  SELECT * FROM json_to_recordset(${parameter}::json) AS given (
    tenant text, decision_ids json, agent text, user_id text, server text,
    from_at timestamptz, until_at timestamptz
  )
)`;

const withHeld = `
WITH ${holdRows("$3")}, held AS (${heldIds})`;

const inRange = "decision_id >= $1::uuid AND decision_id < $2::uuid";
const notHeld = "NOT EXISTS (SELECT 1 FROM held WHERE held.decision_id = gone.decision_id)";

/** How many rows of a partition go, and how many stay because they are held. */
export function countGone(partition: string): string {
  return `${withHeld}
SELECT count(*) FILTER (WHERE ${notHeld})::text AS gone,
  count(*) FILTER (WHERE NOT ${notHeld})::text AS kept
FROM ${partition} AS gone WHERE ${inRange}`;
}

/** Removes the rows that are not held. */
export function deleteGone(partition: string): string {
  return `${withHeld} DELETE FROM ${partition} AS gone WHERE ${inRange} AND ${notHeld}`;
}

/** Removes a partition in which nothing is held. */
export function dropPartition(partition: string): string {
  return `DROP TABLE ${partition}`;
}

/**
 * The places that go, in ranges whose links fit each other. Of a difference the links are in front of
 * its record.
 */
export function selectRanges(partitions: {
  readonly decision: string | undefined;
  readonly shadow_difference: string | undefined;
}): string {
  const { decision, shadow_difference: shadow } = partitions;
  const headers = `SELECT writer, seq, encode(previous_link, 'hex') AS previous,
      encode(link, 'hex') AS link
    FROM ${decision} AS gone WHERE ${inRange} AND link IS NOT NULL AND ${notHeld}`;
  const differences = `SELECT writer, seq, substring(head FROM '"previous_link":"([0-9a-f]{64})"'),
      substring(head FROM '"link":"([0-9a-f]{64})"')
    FROM (SELECT *, encode(substring(record FROM 1 FOR 400), 'escape') AS head FROM ${shadow}) AS gone
    WHERE ${inRange} AND ${notHeld}`;
  const both = [decision === undefined ? [] : [headers], shadow === undefined ? [] : [differences]];
  return `${withHeld}, place AS (
  ${both.flat().join("\n  UNION ALL ")}
)${joinedPlaces}`;
}

/** Ranges of a table `place` of writer, seq, previous and link. */
const joinedPlaces = `, marked AS (
  SELECT *, CASE
    WHEN lag(seq) OVER line = seq - 1 AND lag(link) OVER line = previous THEN 0 ELSE 1
  END AS is_first
  FROM place WINDOW line AS (PARTITION BY writer ORDER BY seq)
), numbered AS (
  SELECT *, sum(is_first) OVER (PARTITION BY writer ORDER BY seq ROWS UNBOUNDED PRECEDING) AS number
  FROM marked
)
SELECT writer, min(seq)::text AS first, max(seq)::text AS last,
  (array_agg(previous ORDER BY seq))[1] AS previous,
  (array_agg(link ORDER BY seq DESC))[1] AS link
FROM numbered GROUP BY writer, number ORDER BY writer, min(seq)`;

/** What belongs to no decision, with the columns that a hold may name; of others it is not known. */
const notes = {
  activation: [],
  approval_event: ["agent", "user_id", "server"],
  admin_action: [],
} as const;
type NoteTable = keyof typeof notes;
const noteTables = ["activation", "approval_event", "admin_action"] as const;

/** `$1` id behind the highest, `$2` holds. */
function noteIsHeld(table: NoteTable): string {
  const named = table === "approval_event" ? "gone.for_decision_id" : "NULL";
  const agreeing = notes[table].map(
    (column) => `AND coalesce(gone.${column} = hold.${column}, true)`,
  );
  return `EXISTS (SELECT 1 FROM hold
    WHERE (hold.decision_ids IS NULL OR EXISTS (
        SELECT 1 FROM json_array_elements_text(hold.decision_ids) AS id
        WHERE id IN (gone.decision_id::text, ${named})))
      AND coalesce(gone.tenant = hold.tenant, true) ${agreeing.join(" ")}
      AND coalesce(gone.recorded_at >= hold.from_at, true)
      AND coalesce(gone.recorded_at < hold.until_at, true))`;
}

/** How many notes go, and how many stay because they are held. */
export const countNotes = `
WITH ${holdRows("$2")}
SELECT count(*) FILTER (WHERE NOT is_held)::text AS gone, count(*) FILTER (WHERE is_held)::text AS kept
FROM (
  ${noteTables
    .map(
      (table) => `SELECT ${noteIsHeld(table)} AS is_held
  FROM mcp_gateway.${table} AS gone WHERE gone.decision_id < $1::uuid`,
    )
    .join("\n  UNION ALL ")}
) AS note`;

/** Removes the notes that are not held, and returns their places like `selectRanges`. */
export const deleteNotes = `
WITH ${holdRows("$2")}, ${noteTables
  .map(
    (table) => `gone_${table} AS (
  DELETE FROM mcp_gateway.${table} AS gone
  WHERE gone.decision_id < $1::uuid AND NOT ${noteIsHeld(table)}
  RETURNING writer, seq, encode(substring(record FROM 1 FOR 400), 'escape') AS head
)`,
  )
  .join(", ")}, place AS (
  SELECT writer, seq, substring(head FROM '"previous_link":"([0-9a-f]{64})"') AS previous,
    substring(head FROM '"link":"([0-9a-f]{64})"') AS link
  FROM (${noteTables.map((table) => `SELECT * FROM gone_${table}`).join(" UNION ALL ")}) AS gone
)${joinedPlaces}`;

/** `$1` who, `$2` and `$3` the times before which payloads and headers went, `$4` and `$5` how many. */
export const insertRun = `
INSERT INTO mcp_gateway.prune_run
  (pruned_at, pruned_by, payload_before, header_before, payloads, headers)
VALUES (clock_timestamp(), $1, $2::timestamptz, $3::timestamptz, $4::bigint, $5::bigint)`;

/** A row where it is our turn: nobody has pruned by the calendar within most of a day. */
export const takeTurn = `
INSERT INTO mcp_gateway.prune_turn AS turn (taken_at) VALUES (clock_timestamp())
ON CONFLICT (only_row) DO UPDATE SET taken_at = excluded.taken_at
WHERE turn.taken_at < clock_timestamp() - interval '20 hours'
RETURNING taken_at`;
