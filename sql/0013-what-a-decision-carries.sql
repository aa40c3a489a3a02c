-- Who reads the record in SQL also asks for the trace that a decision belongs to, for the time that each
-- layer took, and for what is hidden of it. All of that is in the record, and goes with it when it is
-- pruned; where it is read nowhere it costs nothing.

-- `layers` are the verdicts of all layers, in their order, each with its `eval_ns`. `masked` and `erased`
-- are lists of JSON pointers, as in OPA's decision log. Each is an array or null, whatever is masked.
CREATE OR REPLACE VIEW decisions AS
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
  a.seq,
  p.document ->> 'trace_id' AS trace_id,
  p.document ->> 'span_id' AS span_id,
  CASE WHEN jsonb_typeof(p.document -> 'layers') = 'array' THEN p.document -> 'layers' END AS layers,
  CASE WHEN jsonb_typeof(p.document -> 'masked') = 'array' THEN p.document -> 'masked' END AS masked,
  CASE WHEN jsonb_typeof(p.document -> 'erased') = 'array' THEN p.document -> 'erased' END AS erased
FROM mcp_gateway.decision a
LEFT JOIN mcp_gateway.decision o ON o.decision_id = a.decision_id AND o.kind = 'outcome'
LEFT JOIN mcp_gateway.decision_payload p ON p.decision_id = a.decision_id AND p.kind = 'admission'
WHERE a.kind = 'admission';
