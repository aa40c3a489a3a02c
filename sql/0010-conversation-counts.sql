-- How much of each conversation there was, for gateways of several machines, and which conversations
-- trusted runtimes have named. This is state, not the record: rows change, and are deleted when nobody
-- remembers them any more.

-- `principal` is a digest of tenant, user and agent; `vouched` the digest of a conversation's name, or
-- empty for everything of the principal. One row for each gateway that counts, with its own part: the
-- sum of those of one conversation is what all of them have told, and `least_…` what a runtime said.
-- What a vouched conversation has seen is in conversation_sighting, with its digest as principal.
CREATE TABLE mcp_gateway.conversation_count (
  principal    text   NOT NULL,
  vouched      text   NOT NULL,
  gateway      text   NOT NULL,
  conversation text   NOT NULL,
  started_ms   bigint NOT NULL,
  at_ms        bigint NOT NULL,
  turns        bigint NOT NULL,
  tokens       bigint NOT NULL,
  least_turns  bigint NOT NULL,
  least_tokens bigint NOT NULL,
  PRIMARY KEY (principal, vouched, gateway)
);
