-- Each record carries its place in its writer's chain (`seq`) and the links on both sides; a link is a
-- hash over the link before it and the digests of header and record. Of a decision the three are kept
-- beside the header, so that a pruned record leaves the chain whole; of what is never pruned they are
-- in the record itself. Records made before this version have none.
ALTER TABLE mcp_gateway.decision
  ADD COLUMN previous_link bytea,
  ADD COLUMN link          bytea,
  ADD COLUMN record_sha256 bytea;

-- A chain is followed by writer and place.
CREATE INDEX decision_by_writer ON mcp_gateway.decision (writer, seq);
CREATE INDEX activation_by_writer ON mcp_gateway.activation (writer, seq);
CREATE INDEX approval_event_by_writer ON mcp_gateway.approval_event (writer, seq);
CREATE INDEX admin_action_by_writer ON mcp_gateway.admin_action (writer, seq);
CREATE INDEX shadow_difference_by_writer ON mcp_gateway.shadow_difference (writer, seq);
