-- The decision record. Tables are private and may change; the view `decisions` is the interface.
--
-- A decision is two rows that share a UUIDv7: the admission, written before the call left, and the
-- outcome, written after it ended. The header is narrow and kept long; the payload holds the whole
-- record and may be pruned earlier. Both are partitioned by the day inside the id, so that an
-- outcome lies beside its admission and a day goes with one DROP TABLE. The shipper makes a day's
-- partition before it inserts into it; the default partition is there so that no row is ever refused.

CREATE TABLE mcp_gateway.decision (
  decision_id      uuid NOT NULL,
  kind             text NOT NULL CHECK (kind IN ('admission', 'outcome')),
  recorded_at      timestamptz NOT NULL,
  writer           text NOT NULL,
  seq              bigint NOT NULL,
  tenant           text,
  agent            text,
  user_id          text,
  server           text,
  tool             text,
  exposed_name     text,
  action_type      text,
  protocol_version text,
  effect           text,
  enforced         boolean,
  reasons          text[],
  matched_rules    text[],
  remediation      text,
  policy_version   text,
  bundles          jsonb,
  args_sha256      text,
  posture          text,
  policy_ms        double precision,
  total_ms         double precision,
  outcome          text,
  result_sha256    text,
  result_bytes     bigint,
  latency_ms       double precision,
  PRIMARY KEY (decision_id, kind)
) PARTITION BY RANGE (decision_id);

CREATE TABLE mcp_gateway.decision_default PARTITION OF mcp_gateway.decision DEFAULT;

-- Lists are newest first, which is the order of the id.
CREATE INDEX decision_by_server ON mcp_gateway.decision (server, tool, decision_id)
  WHERE kind = 'admission';
CREATE INDEX decision_by_agent ON mcp_gateway.decision (agent, decision_id)
  WHERE kind = 'admission';
CREATE INDEX decision_not_allowed ON mcp_gateway.decision (decision_id)
  WHERE kind = 'admission' AND effect <> 'allow';

-- `record` is the exact text. `document` is the same as jsonb, null where jsonb refuses what JSON
-- allows (\u0000, lone surrogates, numbers past numeric's range) and where it nests too deep.
CREATE TABLE mcp_gateway.decision_payload (
  decision_id uuid NOT NULL,
  kind        text NOT NULL,
  record      bytea NOT NULL,
  document    jsonb,
  PRIMARY KEY (decision_id, kind)
) PARTITION BY RANGE (decision_id);

CREATE TABLE mcp_gateway.decision_payload_default PARTITION OF mcp_gateway.decision_payload DEFAULT;

-- What could not be inserted, exactly as the spool held it, so that it blocks nobody and is not lost.
CREATE TABLE mcp_gateway.decision_dead_letter (
  writer       text NOT NULL,
  segment      integer NOT NULL,
  frame_offset bigint NOT NULL,
  received_at  timestamptz NOT NULL DEFAULT now(),
  code         text NOT NULL,
  message      text NOT NULL,
  record       bytea NOT NULL,
  PRIMARY KEY (writer, segment, frame_offset)
);

-- How far each writer's spool is in this database; moved in the same statement as the rows it
-- stands for.
CREATE TABLE mcp_gateway.spool_cursor (
  writer       text PRIMARY KEY,
  segment      integer NOT NULL,
  frame_offset bigint NOT NULL
);

CREATE FUNCTION mcp_gateway.try_jsonb(document text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN document::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$$;

-- One row a decision. A call that was let through and has no outcome yet is `pending` for ten
-- minutes and then `unknown`: its process died, or its outcome could not be recorded.
CREATE VIEW decisions AS
SELECT
  a.decision_id,
  a.recorded_at AS decided_at,
  a.tenant,
  a.agent,
  a.user_id,
  a.server,
  a.tool,
  a.exposed_name,
  a.action_type,
  a.effect,
  a.enforced,
  a.reasons,
  a.matched_rules,
  a.remediation,
  CASE
    WHEN o.outcome IS NOT NULL THEN o.outcome
    WHEN a.enforced AND a.effect <> 'allow' THEN 'not_forwarded'
    WHEN a.recorded_at > now() - interval '10 minutes' THEN 'pending'
    ELSE 'unknown'
  END AS outcome,
  o.recorded_at AS ended_at,
  o.latency_ms,
  a.policy_ms,
  a.total_ms,
  a.policy_version,
  a.bundles,
  a.args_sha256,
  o.result_sha256,
  o.result_bytes,
  a.protocol_version,
  a.posture,
  p.document -> 'input' AS input,
  a.writer,
  a.seq
FROM mcp_gateway.decision a
LEFT JOIN mcp_gateway.decision o ON o.decision_id = a.decision_id AND o.kind = 'outcome'
LEFT JOIN mcp_gateway.decision_payload p ON p.decision_id = a.decision_id AND p.kind = 'admission'
WHERE a.kind = 'admission';
