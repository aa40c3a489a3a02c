-- What operators have stopped: an agent, a user, a server or a tool of a tenant. Every replica reads
-- this again and again and refuses what is in it before any policy is asked. A row is all there is:
-- lifting a block deletes it, and who did it and why is in `admin_actions`.

CREATE TABLE mcp_gateway.block (
  tenant     text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('agent', 'user', 'server', 'tool')),
  -- Of a tool SERVER/TOOL.
  id         text NOT NULL,
  blocked_by text NOT NULL,
  blocked_at timestamptz NOT NULL,
  reason     text,
  PRIMARY KEY (tenant, kind, id)
);

-- Moved in the same statement as the rows, so that replicas mostly read one number.
CREATE TABLE mcp_gateway.block_revision (
  tenant   text PRIMARY KEY,
  revision bigint NOT NULL
);
