-- What people do beside the calls: an operator blocks or grants something, somebody approves a call.
-- Like activations these belong to no decision, are few, and are kept as long as the headers of
-- decisions and longer. The views `approval_events` and `admin_actions` are the interface; the view
-- `decisions` stays as it is.

-- One row for each step of a request for approval; `for_decision_id` leads to the decision. Neither
-- `event` nor the ids are checked by anybody here: a later version may know more of them.
CREATE TABLE mcp_gateway.approval_event (
  decision_id     uuid PRIMARY KEY,
  recorded_at     timestamptz NOT NULL,
  writer          text NOT NULL,
  seq             bigint NOT NULL,
  tenant          text,
  approval_id     text,
  event           text,
  for_decision_id text,
  server          text,
  tool            text,
  agent           text,
  user_id         text,
  decided_by      text,
  channel         text,
  reason          text,
  args_sha256     text,
  expires_at      timestamptz,
  record          bytea NOT NULL
);

-- The life of one request, and everything that was asked for one decision.
CREATE INDEX approval_event_by_approval ON mcp_gateway.approval_event (approval_id, recorded_at);
CREATE INDEX approval_event_by_decision ON mcp_gateway.approval_event (for_decision_id);

CREATE VIEW approval_events AS
SELECT
  decision_id,
  recorded_at,
  tenant,
  approval_id,
  event,
  for_decision_id,
  server,
  tool,
  agent,
  user_id,
  decided_by,
  channel,
  reason,
  args_sha256,
  expires_at,
  writer,
  seq
FROM mcp_gateway.approval_event;

-- `details` is null where jsonb refuses what JSON allows; the exact text is in `record`.
CREATE TABLE mcp_gateway.admin_action (
  decision_id uuid PRIMARY KEY,
  recorded_at timestamptz NOT NULL,
  writer      text NOT NULL,
  seq         bigint NOT NULL,
  tenant      text,
  done_by     text,
  action      text,
  subject     text,
  reason      text,
  details     jsonb,
  record      bytea NOT NULL
);

-- What was done to one subject.
CREATE INDEX admin_action_by_subject ON mcp_gateway.admin_action (subject, recorded_at);

CREATE VIEW admin_actions AS
SELECT
  decision_id,
  recorded_at,
  tenant,
  done_by,
  action,
  subject,
  reason,
  details,
  writer,
  seq
FROM mcp_gateway.admin_action;

-- Every record that is no decision, for whoever looks for one by its id.
CREATE VIEW mcp_gateway.note AS
SELECT decision_id, 'activation' AS kind, record FROM mcp_gateway.activation
UNION ALL
SELECT decision_id, 'approval' AS kind, record FROM mcp_gateway.approval_event
UNION ALL
SELECT decision_id, 'admin' AS kind, record FROM mcp_gateway.admin_action;
