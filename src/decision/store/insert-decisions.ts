/**
 * The statements that put records into the store. Each moves the writer's cursor in the same
 * statement as its rows, so that a commit whose answer was lost is not repeated, and would change
 * nothing if it were.
 */

/** Rows of any kinds, each into the tables of its kind: `$1` JSON array of rows. */
const intoTables = `
WITH incoming AS (
  SELECT * FROM json_to_recordset($1::json) AS row (
    decision_id uuid, kind text, recorded_at timestamptz, writer text, seq bigint,
    previous_link text, link text, record_sha256 text,
    tenant text, agent text, user_id text, server text, tool text, exposed_name text,
    action_type text, protocol_version text, effect text, enforced boolean,
    reasons json, matched_rules json, remediation text, policy_version text, bundles text,
    args_sha256 text, posture text, policy_ms double precision, total_ms double precision,
    outcome text, result_sha256 text, result_bytes bigint, latency_ms double precision,
    layer text, layer_kind text, reference text, event text, digest text, previous_digest text,
    revision text, changed_by text, why text, code text, signers json,
    approval_id text, for_decision_id text, channel text, expires_at timestamptz,
    action text, subject text, details text,
    difference text, was_effect text, was_reasons json, was_policy_ms double precision,
    is_queryable boolean, record text
  )
), header AS (
  INSERT INTO mcp_gateway.decision (
    decision_id, kind, recorded_at, writer, seq, previous_link, link, record_sha256, tenant, agent, user_id, server, tool,
    exposed_name, action_type, protocol_version, effect, enforced, reasons, matched_rules,
    remediation, policy_version, bundles, args_sha256, posture, policy_ms, total_ms,
    outcome, result_sha256, result_bytes, latency_ms
  )
  SELECT
    decision_id, kind, recorded_at, writer, seq, decode(previous_link, 'hex'),
    decode(link, 'hex'), decode(record_sha256, 'hex'), tenant, agent, user_id, server, tool,
    exposed_name, action_type, protocol_version, effect, enforced,
    ARRAY(SELECT json_array_elements_text(reasons)),
    ARRAY(SELECT json_array_elements_text(matched_rules)),
    remediation, policy_version,
    mcp_gateway.try_jsonb(bundles), args_sha256, posture,
    policy_ms, total_ms, outcome, result_sha256, result_bytes, latency_ms
  FROM incoming
  WHERE kind IN ('admission', 'outcome')
  ON CONFLICT DO NOTHING
), payload AS (
  INSERT INTO mcp_gateway.decision_payload (decision_id, kind, record, document)
  SELECT decision_id, kind, convert_to(record, 'UTF8'),
    CASE WHEN is_queryable THEN mcp_gateway.try_jsonb(record) END
  FROM incoming
  WHERE kind IN ('admission', 'outcome')
  ON CONFLICT DO NOTHING
), activation AS (
  INSERT INTO mcp_gateway.activation (
    decision_id, recorded_at, writer, seq, tenant, layer, layer_kind, reference, event, digest,
    previous_digest, revision, changed_by, why, code, signers, record
  )
  SELECT
    decision_id, recorded_at, writer, seq, tenant, layer, layer_kind, reference, event, digest,
    previous_digest, revision, changed_by, why, code,
    ARRAY(SELECT json_array_elements_text(signers)), convert_to(record, 'UTF8')
  FROM incoming
  WHERE kind = 'activation'
  ON CONFLICT DO NOTHING
), approval AS (
  INSERT INTO mcp_gateway.approval_event (
    decision_id, recorded_at, writer, seq, tenant, approval_id, event, for_decision_id, server,
    tool, agent, user_id, decided_by, channel, reason, args_sha256, expires_at, record
  )
  SELECT
    decision_id, recorded_at, writer, seq, tenant, approval_id, event, for_decision_id, server,
    tool, agent, user_id, changed_by, channel, why, args_sha256, expires_at,
    convert_to(record, 'UTF8')
  FROM incoming
  WHERE kind = 'approval'
  ON CONFLICT DO NOTHING
), admin AS (
  INSERT INTO mcp_gateway.admin_action (
    decision_id, recorded_at, writer, seq, tenant, done_by, action, subject, reason, details, record
  )
  SELECT
    decision_id, recorded_at, writer, seq, tenant, changed_by, action, subject, why,
    CASE WHEN is_queryable THEN mcp_gateway.try_jsonb(details) END, convert_to(record, 'UTF8')
  FROM incoming
  WHERE kind = 'admin'
  ON CONFLICT DO NOTHING
), shadow AS (
  INSERT INTO mcp_gateway.shadow_difference (
    decision_id, recorded_at, writer, seq, tenant, for_decision_id, server, tool, agent, user_id,
    layer, layer_kind, revision, digest, difference, code, effect, reasons, matched_rules,
    policy_ms, was_effect, was_reasons, was_policy_ms, record
  )
  SELECT
    decision_id, recorded_at, writer, seq, tenant, for_decision_id, server, tool, agent, user_id,
    layer, layer_kind, revision, digest, difference, code, effect,
    ARRAY(SELECT json_array_elements_text(reasons)),
    ARRAY(SELECT json_array_elements_text(matched_rules)), policy_ms, was_effect,
    ARRAY(SELECT json_array_elements_text(was_reasons)), was_policy_ms,
    convert_to(record, 'UTF8')
  FROM incoming
  WHERE kind = 'shadow'
  ON CONFLICT DO NOTHING
)`;

/** The rows `$1`; `$2` writer, `$3` segment, `$4` offset behind the last row. */
export const insertDecisions = `${intoTables}
INSERT INTO mcp_gateway.spool_cursor (writer, segment, frame_offset)
VALUES ($2, $3::integer, $4::bigint)
ON CONFLICT (writer) DO UPDATE
SET segment = excluded.segment, frame_offset = excluded.frame_offset`;

/** The row `$1`, which was a dead letter: `$2` writer, `$3` segment, `$4` its offset. */
export const insertLetter = `${intoTables}
DELETE FROM mcp_gateway.decision_dead_letter
WHERE writer = $2 AND segment = $3::integer AND frame_offset = $4::bigint`;

/**
 * `$1` writer, `$2` segment, `$3` offset of the record, `$4` offset behind it, `$5` code, `$6`
 * message, `$7` the record's bytes in base64.
 */
export const insertDeadLetter = `
WITH letter AS (
  INSERT INTO mcp_gateway.decision_dead_letter
    (writer, segment, frame_offset, code, message, record)
  VALUES ($1, $2::integer, $3::bigint, $5, $6, decode($7, 'base64'))
  ON CONFLICT DO NOTHING
)
INSERT INTO mcp_gateway.spool_cursor (writer, segment, frame_offset)
VALUES ($1, $2::integer, $4::bigint)
ON CONFLICT (writer) DO UPDATE
SET segment = excluded.segment, frame_offset = excluded.frame_offset`;

/** All cursors. */
export const selectCursors =
  "SELECT writer, segment, frame_offset::text AS frame_offset FROM mcp_gateway.spool_cursor";

/** `$1` writer whose spool is gone. */
export const deleteCursor = "DELETE FROM mcp_gateway.spool_cursor WHERE writer = $1";
