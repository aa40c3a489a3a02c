-- What decides calls changes now and then: a bundle is activated, refused or withdrawn, or somebody
-- holds, resumes or revokes one. Such a record belongs to no decision and there are few of them, so
-- they are one table without partitions, kept as long as the headers of decisions and longer. The
-- view `activations` is the interface.

-- `event` is checked by nobody here: a later version may know more of them. `record` is the exact
-- text.
CREATE TABLE mcp_gateway.activation (
  decision_id     uuid PRIMARY KEY,
  recorded_at     timestamptz NOT NULL,
  writer          text NOT NULL,
  seq             bigint NOT NULL,
  tenant          text,
  layer           text,
  layer_kind      text,
  reference       text,
  event           text,
  digest          text,
  previous_digest text,
  revision        text,
  changed_by      text,
  why             text,
  code            text,
  signers         text[],
  record          bytea NOT NULL
);

-- Which bundle decided for a layer at some time is its newest row before that.
CREATE INDEX activation_by_layer ON mcp_gateway.activation (layer, recorded_at);

CREATE VIEW activations AS
SELECT
  decision_id,
  recorded_at AS changed_at,
  tenant,
  layer,
  layer_kind,
  reference,
  event,
  digest,
  previous_digest,
  revision,
  changed_by,
  why,
  code,
  signers,
  writer,
  seq
FROM mcp_gateway.activation;
