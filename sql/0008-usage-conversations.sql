-- Which conversation of a principal is under way, for counters that are kept by conversation: all
-- replicas ask here, so that neither another replica nor a restart begins a count anew. Time is the
-- database's.

CREATE TABLE mcp_gateway.usage_conversation (
  principal    text PRIMARY KEY,
  conversation text NOT NULL,
  -- It is over when nobody has joined it for so long.
  silence_ms   bigint NOT NULL,
  joined_ms    bigint NOT NULL
);
