-- What is kept although its retention is over, and what was removed because it was. Both are state of
-- the store; who held or lifted something and why is in `admin_actions`.

-- `document` is the hold as gateways of this version read it. Nobody prunes while holds change: both
-- take the same advisory lock.
CREATE TABLE mcp_gateway.legal_hold (
  hold_id  uuid PRIMARY KEY,
  tenant   text NOT NULL,
  document jsonb NOT NULL
);

-- One row for each time that somebody pruned: records of ids before these times lost what is named,
-- unless they were held. What is asked: why a decision has no payload any more, and whether a gateway
-- has pruned today.
CREATE TABLE mcp_gateway.prune_run (
  pruned_at      timestamptz PRIMARY KEY,
  pruned_by      text NOT NULL,
  payload_before timestamptz,
  header_before  timestamptz,
  payloads       bigint NOT NULL,
  headers        bigint NOT NULL
);

-- Whose turn it is to prune: taken by one gateway a day.
CREATE TABLE mcp_gateway.prune_turn (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  taken_at timestamptz NOT NULL
);
