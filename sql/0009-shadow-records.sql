-- What a policy that is tried beside another would have decided otherwise: one row for each decision
-- that its shadow differs on. There may be as many as decisions, so they are partitioned by the day in
-- the id like those, and a day goes with one DROP TABLE. The view `shadow_differences` is the interface.

-- `difference` is checked by nobody here: a later version may know more of them. What is said of the
-- decision as it was made has `was_` in front, what the shadow would have made of it stands without.
-- `record` is the exact text.
CREATE TABLE mcp_gateway.shadow_difference (
  decision_id     uuid NOT NULL,
  recorded_at     timestamptz NOT NULL,
  writer          text NOT NULL,
  seq             bigint NOT NULL,
  tenant          text,
  for_decision_id text,
  server          text,
  tool            text,
  agent           text,
  user_id         text,
  layer           text,
  layer_kind      text,
  revision        text,
  digest          text,
  difference      text,
  code            text,
  effect          text,
  reasons         text[],
  matched_rules   text[],
  policy_ms       double precision,
  was_effect      text,
  was_reasons     text[],
  was_policy_ms   double precision,
  record          bytea NOT NULL,
  PRIMARY KEY (decision_id)
) PARTITION BY RANGE (decision_id);

CREATE TABLE mcp_gateway.shadow_difference_default
  PARTITION OF mcp_gateway.shadow_difference DEFAULT;

-- What one shadow would change, and what is said of one decision.
CREATE INDEX shadow_difference_by_digest
  ON mcp_gateway.shadow_difference (layer, digest, difference);
CREATE INDEX shadow_difference_by_decision ON mcp_gateway.shadow_difference (for_decision_id);

CREATE VIEW shadow_differences AS
SELECT
  decision_id,
  recorded_at,
  tenant,
  for_decision_id,
  server,
  tool,
  agent,
  user_id,
  layer,
  layer_kind,
  revision,
  digest,
  difference,
  code,
  effect,
  reasons,
  matched_rules,
  policy_ms,
  was_effect,
  was_reasons,
  was_policy_ms,
  writer,
  seq
FROM mcp_gateway.shadow_difference;

CREATE OR REPLACE VIEW mcp_gateway.note AS
SELECT decision_id, 'activation' AS kind, record FROM mcp_gateway.activation
UNION ALL
SELECT decision_id, 'approval' AS kind, record FROM mcp_gateway.approval_event
UNION ALL
SELECT decision_id, 'admin' AS kind, record FROM mcp_gateway.admin_action
UNION ALL
SELECT decision_id, 'shadow' AS kind, record FROM mcp_gateway.shadow_difference;
