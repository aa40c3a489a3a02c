-- What each user and agent has seen, for gateways of several machines: a call that one replica decides
-- is decided with what another replica's results brought. This is state, not the record: rows change,
-- and are deleted when nobody remembers them any more.

-- `principal` is a digest of tenant, user and agent. One row for each class, label and server, with
-- the last time that a call brought it, in milliseconds of the writer's clock; and the conversation
-- that it was brought into, so that replicas speak of one.
CREATE TABLE mcp_gateway.conversation_sighting (
  principal    text   NOT NULL,
  sort         text   NOT NULL CHECK (sort IN ('class', 'label', 'server')),
  name         text   NOT NULL,
  server       text   NOT NULL,
  conversation text   NOT NULL,
  started_ms   bigint NOT NULL,
  at_ms        bigint NOT NULL,
  PRIMARY KEY (principal, sort, name, server)
);
