-- Questions to people about calls that policy holds. This is state, not the record: rows change, and
-- are deleted a day after their time is over; what happened to each stays in the view of approval
-- records. Gateways and the people who decide meet here, so that a call held by one replica is
-- granted to all of them, and used by one.

-- `document` is the approval as all gateways of this version read it, and `arguments` what approvers
-- are shown, taken away when it is closed. Both are text: jsonb refuses some of what JSON allows.
-- Gateways of several tenants may share a database: every statement names the tenant.
CREATE TABLE mcp_gateway.approval (
  approval_id  uuid PRIMARY KEY,
  tenant       text NOT NULL,
  binding      text NOT NULL,
  principal    text NOT NULL,
  status       text NOT NULL,
  requested_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  document     text NOT NULL,
  arguments    text
);

-- The same call finds its approval again.
CREATE INDEX approval_by_binding ON mcp_gateway.approval (tenant, binding);

-- What waits for people, and the newest of the rest.
CREATE INDEX approval_by_status ON mcp_gateway.approval (tenant, status, approval_id);

-- How many requests of one principal wait, or were taken back.
CREATE INDEX approval_asked ON mcp_gateway.approval (principal)
  WHERE status IN ('pending', 'withdrawn');

CREATE INDEX approval_by_expiry ON mcp_gateway.approval (expires_at);
