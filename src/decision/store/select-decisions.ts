/**
 * The statements that read decisions. Each gives one column `item` of JSON, so that both drivers
 * give the same values: times as RFC 3339 text, numbers as numbers.
 */

const utc = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The lowest UUIDv7 of a time. */
const lowestIdOf = (column: string): string =>
  `(lpad(to_hex((extract(epoch FROM ${column}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;

/**
 * `$1` lowest id, `$2` earliest time, `$3` server, `$4` tool, `$5` agent, `$6` outcome, `$7`
 * effect, `$8` limit; a null filter filters nothing. The id bound lets whole partitions be skipped.
 */
export const selectDecisions = `
SELECT json_build_object(
  'decision_id', decision_id, 'time', ${utc("decided_at")}, 'tenant', tenant, 'agent', agent,
  'user', user_id, 'server', server, 'tool', tool, 'exposed_name', exposed_name,
  'action_type', action_type, 'effect', effect, 'enforced', enforced, 'reasons', reasons,
  'matched_rules', matched_rules, 'remediation', remediation, 'outcome', outcome,
  'latency_ms', latency_ms, 'policy_ms', policy_ms, 'policy_version', policy_version,
  'bundles', bundles, 'args_sha256', args_sha256, 'posture', posture
) AS item
FROM decisions
WHERE decision_id >= $1::uuid
  AND decided_at >= $2::timestamptz
  AND ($3::text IS NULL OR server = $3::text)
  AND ($4::text IS NULL OR tool = $4::text OR exposed_name = $4::text)
  AND ($5::text IS NULL OR agent = $5::text)
  AND ($6::text IS NULL OR outcome = $6::text)
  AND ($7::text IS NULL OR effect = $7::text)
ORDER BY decision_id DESC
LIMIT $8::integer`;

/** The newest decision's id. */
export const selectLastId =
  "SELECT decision_id::text AS id FROM decisions ORDER BY decision_id DESC LIMIT 1";

/** `$1` lowest and `$2` highest id; up to six of the ids between, newest first; of notes too. */
export const selectIdsBetween = `
SELECT decision_id::text AS id FROM (
  SELECT decision_id FROM decisions WHERE decision_id BETWEEN $1::uuid AND $2::uuid
  UNION ALL
  SELECT decision_id FROM mcp_gateway.note WHERE decision_id BETWEEN $1::uuid AND $2::uuid
) AS found
ORDER BY decision_id DESC
LIMIT 6`;

/** `$1` id of a record that is no decision; its exact text in base64. */
export const selectNote = `
SELECT json_build_object('kind', kind, 'record', encode(record, 'base64')) AS item
FROM mcp_gateway.note
WHERE decision_id = $1::uuid`;

/** `$1` id; the exact text of its records in base64, and its outcome in words. */
export const selectDecision = `
SELECT json_build_object(
  'outcome', d.outcome,
  'admission', (SELECT encode(record, 'base64') FROM mcp_gateway.decision_payload
                WHERE decision_id = d.decision_id AND kind = 'admission'),
  'outcome_record', (SELECT encode(record, 'base64') FROM mcp_gateway.decision_payload
                 WHERE decision_id = d.decision_id AND kind = 'outcome'),
  'pruned_at', (SELECT ${utc("min(pruned_at)")} FROM mcp_gateway.prune_run
                WHERE d.decision_id < ${lowestIdOf("payload_before")})
) AS item
FROM decisions d
WHERE d.decision_id = $1::uuid`;
